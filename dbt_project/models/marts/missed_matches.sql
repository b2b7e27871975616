with rounds as (

    select * from {{ ref('stg_funding_rounds') }}

),

outcomes as (

    select * from {{ ref('int_match_outcomes') }}

),

agreeing as (

    select * from {{ ref('int_agreeing_rows') }}

),

-- Matched, and yet nobody was told. Every row of the match is listed: one webhook would have told of them all (A-FS-4).
not_told as (

    select
        matched_rows.organization_id,
        matched_rows.round_id,
        matched_rows.row_kind,
        matched_rows.row_external_id,
        matched_rows.match_type,
        outcomes.match_id,
        outcomes.error_class,
        case
            when outcomes.delivery_status = 'held' then 'held'
            when outcomes.delivery_status = 'no_webhook' then 'no_webhook'
            when outcomes.error_class = 'unknown_outcome' then 'unknown_outcome'
            else 'endpoint_failed'
        end as reason
    from outcomes
    inner join {{ ref('int_matched_rows') }} as matched_rows on outcomes.match_id = matched_rows.match_id
    inner join rounds on outcomes.round_id = rounds.round_id
    where
        outcomes.delivery_status in ('failed', 'no_webhook', 'held')
        and not matched_rows.is_linked
        and rounds.first_seen_at >= {{ as_of() }} - interval {{ var('missed_match_days') }} day

),

-- The organization has been matched to another report of the same round: a second alert would be a repeat (A-FS-24).
known_otherwise as (

    select distinct
        outcomes.organization_id,
        logical_rounds.round_id
    from {{ ref('int_logical_rounds') }} as logical_rounds
    inner join outcomes on logical_rounds.other_round_id = outcomes.round_id

),

-- Never matched, though the keys of today agree.
not_matched as (

    select
        agreeing.organization_id,
        agreeing.round_id,
        agreeing.row_kind,
        agreeing.row_external_id,
        agreeing.match_type,
        cast(null as varchar) as match_id,
        cast(null as varchar) as error_class,
        case
            when not rounds.is_telling then 'source_late'
            when agreeing.key_since > rounds.first_seen_at then 'row_added_later'
            else 'extraction_changed'
        end as reason
    from agreeing
    inner join rounds on agreeing.round_id = rounds.round_id
    left join outcomes
        on agreeing.organization_id = outcomes.organization_id
        and agreeing.round_id = outcomes.round_id
    left join known_otherwise
        on agreeing.organization_id = known_otherwise.organization_id
        and agreeing.round_id = known_otherwise.round_id
    where outcomes.match_id is null and known_otherwise.round_id is null

),

missed as (

    select * from not_told
    union all
    select * from not_matched

)

select
    md5(concat_ws('|', missed.organization_id, missed.round_id, missed.row_kind, missed.row_external_id)) as missed_match_id,
    missed.organization_id,
    organizations.organization_slug,
    missed.round_id,
    rounds.company_name,
    rounds.amount_usd,
    rounds.funding_type,
    rounds.article_url,
    missed.row_kind,
    missed.row_external_id,
    missed.match_type,
    missed.match_id,
    missed.reason,
    missed.error_class,
    rounds.first_seen_at as round_first_seen_at,
    rounds.first_seen_date as backfill_date,
    case missed.reason
        when 'held' then 'release'
        when 'no_webhook' then 'pull'
        when 'unknown_outcome' then 'pull'
        when 'endpoint_failed' then 'pull'
        else 'backfill'
    end as recovery
from missed
inner join rounds on missed.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on missed.organization_id = organizations.organization_id
