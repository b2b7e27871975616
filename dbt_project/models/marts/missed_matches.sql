with rounds as (

    select * from {{ ref('stg_funding_rounds') }}
    where first_seen_at >= {{ as_of() }} - interval {{ var('missed_match_days') }} day

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

),

-- The organization has been matched to another report of the same round: a second alert would be a repeat (A-FS-24).
known_otherwise as (

    select distinct
        outcomes.organization_id,
        logical_rounds.round_id
    from {{ ref('int_logical_rounds') }} as logical_rounds
    inner join outcomes on logical_rounds.other_round_id = outcomes.round_id

),

-- Somebody was asked, and has not said yes. A no is an answer: what was rejected was not missed.
reviews as (

    select * from {{ ref('stg_match_reviews') }}

),

in_review as (

    select
        reviews.organization_id,
        reviews.round_id,
        'account' as row_kind,
        reviews.account_external_id as row_external_id,
        'account_name' as match_type,
        cast(null as varchar) as match_id,
        cast(null as varchar) as error_class,
        case when reviews.review_status = 'waiting' then 'held_for_review' else 'review_expired' end as reason,
        reviews.review_id,
        floor(reviews.score * 100) / 100 as needed_threshold
    from reviews
    inner join rounds on reviews.round_id = rounds.round_id
    left join outcomes
        on reviews.organization_id = outcomes.organization_id
        and reviews.round_id = outcomes.round_id
    where
        reviews.review_status in ('waiting', 'expired')
        and outcomes.match_id is null
        and rounds.round_status = 'active'

),

-- Nearly alike, and dropped. Rows that somebody was asked about are above.
under_threshold as (

    select
        near.organization_id,
        near.round_id,
        'account' as row_kind,
        near.account_external_id as row_external_id,
        'account_name' as match_type,
        cast(null as varchar) as match_id,
        cast(null as varchar) as error_class,
        'under_threshold' as reason,
        cast(null as varchar) as review_id,
        floor(near.score * 100) / 100 as needed_threshold
    from {{ ref('stg_near_misses') }} as near
    inner join rounds on near.round_id = rounds.round_id
    left join outcomes
        on near.organization_id = outcomes.organization_id
        and near.round_id = outcomes.round_id
    left join reviews
        on near.organization_id = reviews.organization_id
        and near.round_id = reviews.round_id
        and near.account_external_id = reviews.account_external_id
    where
        outcomes.match_id is null
        and reviews.review_id is null
        and rounds.round_status = 'active'

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
    left join reviews
        on agreeing.organization_id = reviews.organization_id
        and agreeing.round_id = reviews.round_id
        and agreeing.row_external_id = reviews.account_external_id
        and agreeing.row_kind = 'account'
        -- Any other state than these leaves the row to be found.
        and reviews.review_status in ('waiting', 'expired', 'rejected')
    where outcomes.match_id is null and known_otherwise.round_id is null and reviews.review_id is null

),

missed as (

    select *, cast(null as varchar) as review_id, cast(null as double) as needed_threshold from not_told
    union all
    select *, cast(null as varchar) as review_id, cast(null as double) as needed_threshold from not_matched
    union all
    select * from in_review
    union all
    select under_threshold.*
    from under_threshold
    left join not_matched
        on under_threshold.organization_id = not_matched.organization_id
        and under_threshold.round_id = not_matched.round_id
        and under_threshold.row_external_id = not_matched.row_external_id
        and not_matched.row_kind = 'account'
    where not_matched.round_id is null

),

-- One CRM row may stand behind two questions of a round; the one that still waits counts.
ranked as (

    select
        *,
        row_number() over (
            partition by organization_id, round_id, row_kind, row_external_id
            order by reason = 'held_for_review' desc, review_id
        ) as rank_in_row
    from missed
    where row_external_id is not null

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
    case
        when missed.reason = 'held' then 'release'
        when missed.reason in ('no_webhook', 'unknown_outcome', 'endpoint_failed') then 'pull'
        when missed.reason = 'held_for_review' then 'review'
        when missed.reason in ('under_threshold', 'review_expired') then 'lower_threshold'
        else 'backfill'
    end as recovery,
    case
        when missed.reason = 'held' then concat('fundingscout deliveries release ', missed.match_id)
        when missed.reason in ('no_webhook', 'unknown_outcome', 'endpoint_failed') then null
        when missed.reason = 'held_for_review' then concat('fundingscout review show ', missed.review_id)
        else concat(
            case
                -- A question is asked once: what expired is found again as a match that is sure enough.
                when missed.reason in ('under_threshold', 'review_expired') then concat(
                    'fundingscout organizations thresholds ', organizations.organization_slug,
                    case missed.reason when 'review_expired' then ' --send ' else ' --review ' end,
                    cast(missed.needed_threshold as varchar), ' && '
                )
                else ''
            end,
            'fundingscout backfill --from ', strftime(rounds.first_seen_date, '%Y-%m-%d')
        )
    end as recovery_command
from ranked as missed
inner join rounds on missed.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on missed.organization_id = organizations.organization_id
where missed.rank_in_row = 1
