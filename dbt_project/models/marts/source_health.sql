with days as (

    select * from {{ ref('int_source_days') }}

),

arrivals as (

    select * from {{ ref('int_source_arrivals') }}

),

hours as (

    select
        source_id,
        hour_date as day,
        cast(sum(polls) as bigint) as polls,
        cast(sum(not_modified) as bigint) as polls_not_modified,
        cast(sum(landed) as bigint) as bodies_landed,
        cast(sum(failures) as bigint) as failures,
        max(hour_at) filter (where has_success) as last_success_hour_at,
        arg_max(last_error, hour_at) filter (where last_error is not null) as last_error
    from {{ ref('stg_source_hours') }}
    group by source_id, hour_date

),

documents as (

    select
        documents.source_id,
        documents.landed_date as day,
        count(*) as documents,
        count(mentions.document_id) as documents_read,
        count(*) filter (where mentions.is_funding) as funding_mentions,
        count(mentions.set_aside_reason) as documents_set_aside
    from {{ ref('stg_documents') }} as documents
    left join {{ ref('stg_mentions') }} as mentions on documents.document_id = mentions.document_id
    group by documents.source_id, documents.landed_date

),

reported as (

    select * from {{ ref('int_rounds_reported') }}

),

rounds as (

    select
        source_id,
        landed_date as day,
        count(distinct round_id) as rounds
    from reported
    group by source_id, landed_date

),

first_reports as (

    select
        source_id,
        day,
        count(*) as rounds_first_reported
    from (
        select
            arg_min(source_id, document_seq) as source_id,
            arg_min(landed_date, document_seq) as day
        from reported
        group by round_id
    )
    group by source_id, day

),

rejects as (

    select
        source_id,
        rejected_date as day,
        count(*) as documents_rejected
    from {{ ref('stg_rejected_documents') }}
    group by source_id, rejected_date

),

-- What the source did in the 28 days up to and including the day.
rhythm as (

    select
        days.source_id,
        days.day,
        max(arrivals.arrived_hour_at) as last_arrival_hour_at,
        count(arrivals.gap_hours) filter (where arrivals.arrived_date > days.day - 28) as gaps,
        quantile_cont(arrivals.gap_hours, 0.9) filter (where arrivals.arrived_date > days.day - 28) as usual_gap_hours
    from days
    -- 56 days: a gap that began before the window still tells when the last document came.
    inner join arrivals
        on days.source_id = arrivals.source_id
        and arrivals.arrived_date between days.day - 56 and days.day
    group by days.source_id, days.day

),

joined as (

    select
        days.day,
        days.source_id,
        coalesce(hours.polls, 0) as polls,
        coalesce(hours.polls_not_modified, 0) as polls_not_modified,
        coalesce(hours.bodies_landed, 0) as bodies_landed,
        coalesce(hours.failures, 0) as failures,
        coalesce(documents.documents, 0) as documents,
        coalesce(rejects.documents_rejected, 0) as documents_rejected,
        coalesce(documents.funding_mentions, 0) as funding_mentions,
        coalesce(rounds.rounds, 0) as rounds,
        coalesce(first_reports.rounds_first_reported, 0) as rounds_first_reported,
        coalesce(documents.documents_set_aside, 0) as documents_set_aside,
        {{ share('documents.documents_set_aside', 'documents.documents_read') }} as share_set_aside,
        max(hours.last_success_hour_at) over (
            partition by days.source_id order by days.day rows between unbounded preceding and current row
        ) as last_success_hour_at,
        hours.last_error,
        round(date_diff('minute', rhythm.last_arrival_hour_at, days.ends_at) / 60.0, 1) as silence_hours,
        rhythm.usual_gap_hours,
        rhythm.gaps
    from days
    left join hours on days.source_id = hours.source_id and days.day = hours.day
    left join documents on days.source_id = documents.source_id and days.day = documents.day
    left join rounds on days.source_id = rounds.source_id and days.day = rounds.day
    left join first_reports on days.source_id = first_reports.source_id and days.day = first_reports.day
    left join rejects on days.source_id = rejects.source_id and days.day = rejects.day
    left join rhythm on days.source_id = rhythm.source_id and days.day = rhythm.day

)

select
    day,
    source_id,
    polls,
    polls_not_modified,
    bodies_landed,
    failures,
    documents,
    documents_rejected,
    funding_mentions,
    rounds,
    rounds_first_reported,
    documents_set_aside,
    share_set_aside,
    last_success_hour_at,
    last_error,
    cast(silence_hours as double) as silence_hours,
    cast(round(usual_gap_hours, 1) as double) as usual_gap_hours,
    -- Fewer than five gaps are no rhythm to hold a source to.
    coalesce(gaps >= 5 and silence_hours > 3 * greatest(usual_gap_hours, 1), false) as is_unusually_silent
from joined
