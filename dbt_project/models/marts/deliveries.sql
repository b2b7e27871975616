with outcomes as (

    select * from {{ ref('int_match_outcomes') }}
    where matched_at >= {{ as_of() }} - interval {{ var('explained_days') }} day

),

rounds as (

    select round_id, company_name, article_url from {{ ref('stg_funding_rounds') }}

)

select
    outcomes.match_id,
    outcomes.delivery_id,
    outcomes.organization_id,
    organizations.organization_slug,
    outcomes.round_id,
    rounds.company_name,
    rounds.article_url,
    outcomes.match_type,
    outcomes.match_origin,
    outcomes.delivery_status,
    outcomes.error_class,
    {{ delivery_reason('outcomes') }} as delivery_reason,
    outcomes.response_code,
    outcomes.endpoint_host,
    outcomes.attempts,
    outcomes.matched_at,
    outcomes.matched_date,
    outcomes.last_attempt_at,
    outcomes.landed_to_sent_seconds
from outcomes
left join rounds on outcomes.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on outcomes.organization_id = organizations.organization_id
