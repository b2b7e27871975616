{#- The rule of pipeline/webhooks/logical_rounds.py, which keeps a partner from being told of one round under two ids. -#}
with rounds as (

    select
        round_id,
        company_key,
        funding_type,
        nullif(amount_usd, 0) as amount_usd,
        coalesce(published_date, first_seen_date) as round_date,
        -- A type that names a stage excludes the other stages; others ("growth", "strategic") describe any stage.
        coalesce(regexp_full_match(funding_type, '(?:pre-)?(?:seed|series-[a-z][0-9]*\+?)'), false) as is_stage
    from {{ ref('stg_funding_rounds') }}
    where
        company_key <> ''
        -- As far back as a missed match is looked for, and the rounds just before.
        and first_seen_at >= {{ as_of() }} - interval {{ var('missed_match_days') + 45 }} day

)

select
    rounds.round_id,
    others.round_id as other_round_id
from rounds
inner join rounds as others
    on rounds.company_key = others.company_key
    and rounds.round_id <> others.round_id
    and abs(date_diff('day', rounds.round_date, others.round_date)) <= 14
    and (not rounds.is_stage or not others.is_stage or rounds.funding_type = others.funding_type)
    and (
        rounds.amount_usd is null
        or others.amount_usd is null
        or abs(rounds.amount_usd - others.amount_usd) <= 0.2 * greatest(rounds.amount_usd, others.amount_usd)
    )
