with reviews as (

    select * from {{ ref('stg_match_reviews') }}

),

numbered as (

    select
        *,
        review_status in ('approved', 'rejected') as is_answered
    from reviews

)

select
    numbered.review_id,
    numbered.organization_id,
    organizations.organization_slug,
    numbered.round_id,
    rounds.article_url,
    numbered.round_value,
    numbered.crm_value,
    numbered.account_external_id,
    numbered.rows_matched,
    numbered.score,
    numbered.match_rule,
    numbered.matcher_version,
    numbered.review_threshold,
    numbered.send_threshold,
    numbered.review_origin,
    numbered.review_status,
    numbered.review_outcome,
    numbered.decided_by,
    numbered.note,
    numbered.asked_at,
    numbered.asked_week,
    numbered.decided_at,
    round(date_diff('second', numbered.asked_at, numbered.decided_at) / 3600.0, 2) as hours_to_answer,
    -- How often the answer was yes, up to and including this one.
    case
        when numbered.is_answered
            then round(
                avg(case when numbered.is_answered then cast(numbered.review_status = 'approved' as integer) end) over (
                    order by numbered.is_answered desc, numbered.decided_at, numbered.review_id
                    rows between unbounded preceding and current row
                ),
                4
            )
    end as precision_so_far
from numbered
left join {{ ref('stg_funding_rounds') }} as rounds on numbered.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on numbered.organization_id = organizations.organization_id
