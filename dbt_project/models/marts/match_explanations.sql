{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_what_is_no_longer_so('match_id', ref('int_match_fingerprints')) }}",
) }}

with to_make as (

    {{ rows_to_make('match_id', ref('int_match_fingerprints')) }}

),

matches as (

    select
        matches.*,
        to_make.made_of
    from {{ ref('stg_matches') }} as matches
    inner join to_make on matches.match_id = to_make.match_id

),

-- The documents of their rounds, and the sentences read in them: a round that nobody's CRM matched explains nothing.
explained as (

    select distinct round_id from matches

),

documents as (

    select
        links.round_id,
        documents.document_id,
        documents.document_seq,
        documents.document_url,
        documents.document_title,
        documents.outlet,
        documents.published_at,
        mentions.evidence
    from {{ ref('stg_round_mentions') }} as links
    inner join explained on links.round_id = explained.round_id
    inner join {{ ref('stg_documents') }} as documents on links.document_id = documents.document_id
    left join {{ ref('stg_mentions') }} as mentions on links.document_id = mentions.document_id

),

articles as (

    select
        round_id,
        cast(
            to_json(
                list(
                    struct_pack(
                        title := document_title,
                        url := document_url,
                        outlet := outlet,
                        published_at := strftime(published_at, '%Y-%m-%dT%H:%M:%SZ')
                    )
                    order by document_seq, document_id
                )
            ) as varchar
        ) as articles_json
    from documents
    group by round_id

),

sentences as (

    select
        round_id,
        document_seq,
        document_url,
        unnest(
            from_json(
                case when json_type(evidence) = 'ARRAY' then evidence else cast('[]' as json) end,
                '[{"field": "VARCHAR", "value": "VARCHAR", "text": "VARCHAR"}]'
            )
        ) as item
    from documents
    -- What has expired, or was read in nothing, needs no look.
    where evidence <> '[]'

),

evidence as (

    select
        round_id,
        cast(
            to_json(
                list(
                    struct_pack(field := item.field, value := item.value, text := item.text, url := document_url)
                    order by document_seq, item.field, item.value, item.text
                )
            ) as varchar
        ) as evidence_json
    from sentences
    group by round_id

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
    articles.articles_json,
    case when articles.round_id is not null then coalesce(evidence.evidence_json, '[]') end as evidence_json,
    outcomes.delivery_id,
    outcomes.delivery_status,
    {{ delivery_reason('outcomes') }} as delivery_reason,
    outcomes.response_code,
    outcomes.attempts,
    outcomes.last_attempt_at,
    outcomes.landed_to_sent_seconds,
    matches.made_of
from matches
left join outcomes on matches.match_id = outcomes.match_id
left join rounds on matches.round_id = rounds.round_id
left join articles on matches.round_id = articles.round_id
left join evidence on matches.round_id = evidence.round_id
left join {{ ref('int_organizations') }} as organizations on matches.organization_id = organizations.organization_id
