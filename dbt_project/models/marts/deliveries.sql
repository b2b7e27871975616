{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_what_is_no_longer_so('match_id', ref('int_match_fingerprints')) }}",
) }}

with to_make as (

    {{ rows_to_make('match_id', ref('int_match_fingerprints')) }}

),

outcomes as (

    select
        outcomes.* exclude (made_of),
        to_make.made_of
    from {{ ref('int_match_outcomes') }} as outcomes
    inner join to_make on outcomes.match_id = to_make.match_id

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
    outcomes.landed_to_sent_seconds,
    outcomes.made_of
from outcomes
left join rounds on outcomes.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on outcomes.organization_id = organizations.organization_id
