with questions as (

    select
        asked_week as week,
        matcher_version,
        floor(score * 10) / 10 as score_from,
        count(*) as questions,
        count(*) filter (where review_status = 'approved') as approved,
        count(*) filter (where review_status = 'rejected') as rejected,
        count(*) filter (where review_status = 'waiting') as waiting,
        count(*) filter (where review_status in ('superseded', 'expired', 'withdrawn')) as unanswered,
        sum(score) filter (where review_status in ('approved', 'rejected')) as expected_approved
    from {{ ref('stg_match_reviews') }}
    group by asked_week, matcher_version, floor(score * 10) / 10

),

answered as (

    select
        *,
        approved + rejected as answers,
        cast(approved as double) / nullif(approved + rejected, 0) as p
    from questions

)

-- Wilson's interval: sound for a handful of answers too.
select
    week,
    matcher_version,
    cast(score_from as double) as score_from,
    questions,
    approved,
    rejected,
    waiting,
    unanswered,
    {{ share('approved', 'answers') }} as precision_found,
    {{ share('expected_approved', 'answers') }} as precision_expected,
    round((p + 1.92 / answers - 1.96 * sqrt((p * (1 - p) + 0.96 / answers) / answers)) / (1 + 3.84 / answers), 4) as precision_low,
    round((p + 1.92 / answers + 1.96 * sqrt((p * (1 - p) + 0.96 / answers) / answers)) / (1 + 3.84 / answers), 4) as precision_high
from answered
