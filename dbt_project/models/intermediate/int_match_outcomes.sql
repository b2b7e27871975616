{#- Half a dozen models read it. What attempts say of a match is worked out again when the match or one of them has changed. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_what_is_no_longer_so('match_id', matches_now()) }}",
) }}

with to_make as (

    {{ rows_to_make('match_id', matches_now()) }}

),

matches as (

    select
        matches.*,
        to_make.made_of
    from {{ ref('stg_matches') }} as matches
    inner join to_make on matches.match_id = to_make.match_id

),

attempts as (

    select
        *,
        row_number() over (
            partition by match_id
            -- Once delivered, always delivered: nothing that happens later takes it back.
            order by attempt_status = 'delivered' desc, attempt_number desc, attempt_id desc
        ) as rank_in_match
    from {{ ref('stg_webhook_attempts') }}
    where match_id in (select match_id from to_make)

),

deciding as (

    select * from attempts where rank_in_match = 1

),

counted as (

    select
        match_id,
        count(*) filter (where attempt_number > 0) as attempts
    from attempts
    group by match_id

)

select
    matches.match_id,
    matches.organization_id,
    matches.round_id,
    matches.match_type,
    matches.match_origin,
    matches.matched_at,
    matches.matched_date,
    -- Without an attempt, a match found by a backfill is held until someone releases it; any other is on its way.
    coalesce(
        deciding.attempt_status,
        case when matches.match_origin = 'backfill' then 'held' else 'pending' end
    ) as delivery_status,
    case when deciding.attempt_status = 'failed' then coalesce(deciding.error_class, 'unknown') end as error_class,
    coalesce(counted.attempts, 0) as attempts,
    deciding.started_at as last_attempt_at,
    deciding.delivery_id,
    deciding.endpoint_host,
    deciding.response_code,
    deciding.attempt_error,
    deciding.response_excerpt,
    -- Only what was sent as news says how fast news travels: a backfill or a replay is late on purpose.
    case
        when deciding.attempt_number > 0 and deciding.attempt_trigger = 'live'
            then date_diff('millisecond', deciding.document_landed_at, deciding.started_at) / 1000.0
    end as landed_to_sent_seconds,
    matches.made_of
from matches
left join deciding on matches.match_id = deciding.match_id
left join counted on matches.match_id = counted.match_id
