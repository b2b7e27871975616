with matches as (

    select * from {{ ref('stg_matches') }}
    where matched_at >= {{ as_of() }} - interval {{ var('explained_days') }} day

),

outcomes as (

    select * from {{ ref('int_match_outcomes') }}

),

rounds as (

    select * from {{ ref('stg_funding_rounds') }}

)

select
    matches.match_id,
    matches.organization_id,
    organizations.organization_slug,
    matches.round_id,
    rounds.company_name,
    rounds.amount_usd,
    rounds.funding_type,
    rounds.round_status,
    rounds.confidence_score as round_confidence_score,
    matches.match_type,
    matches.account_external_id,
    matches.contact_external_id,
    matches.match_rule,
    matches.score,
    matches.crm_value,
    matches.round_value,
    -- The first of the listed rows is the match itself.
    cast(json_extract(matches.all_matches, '$[0].reasons') as varchar) as features_json,
    {{ json_items('matches.all_matches') }} as matched_rows,
    cast(matches.all_matches as varchar) as all_matches_json,
    matches.matcher_version,
    matches.match_origin,
    matches.matched_at,
    rounds.article_url,
    rounds.article_title,
    texts.articles_json,
    texts.evidence_json,
    outcomes.delivery_id,
    outcomes.delivery_status,
    {{ delivery_reason('outcomes') }} as delivery_reason,
    outcomes.response_code,
    outcomes.attempts,
    outcomes.last_attempt_at,
    outcomes.landed_to_sent_seconds
from matches
left join outcomes on matches.match_id = outcomes.match_id
left join rounds on matches.round_id = rounds.round_id
left join {{ ref('int_round_texts') }} as texts on matches.round_id = texts.round_id
left join {{ ref('int_organizations') }} as organizations on matches.organization_id = organizations.organization_id
