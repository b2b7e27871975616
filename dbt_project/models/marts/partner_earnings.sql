with earned as (

    select
        partner_id,
        any_value(organization_id) as organization_id,
        count(commission_id) as commissions,
        sum(amount_usd) filter (where commission_level = 1) as level_1,
        sum(amount_usd) filter (where commission_level = 2) as level_2,
        sum(amount_usd) filter (where commission_level = 3) as level_3,
        sum(amount_usd) as total,
        sum(amount_usd) filter (where is_paid) as settled,
        max(earned_at) as last_earned_at
    from {{ ref('int_partner_commissions') }}
    group by partner_id

),

paid as (

    select
        partner_id,
        sum(amount_usd) as paid,
        count(*) as payouts
    from {{ ref('stg_partner_payouts') }}
    group by partner_id

)

-- Paid is what payouts say, settled what commissions say of them: two ledgers that a test holds against each other.
select
    coalesce(earned.partner_id, paid.partner_id) as partner_id,
    earned.organization_id,
    coalesce(earned.commissions, 0) as commissions,
    cast(coalesce(earned.level_1, 0) as decimal(18, 2)) as level_1_usd,
    cast(coalesce(earned.level_2, 0) as decimal(18, 2)) as level_2_usd,
    cast(coalesce(earned.level_3, 0) as decimal(18, 2)) as level_3_usd,
    cast(coalesce(earned.total, 0) as decimal(18, 2)) as total_usd,
    cast(coalesce(earned.settled, 0) as decimal(18, 2)) as settled_usd,
    cast(coalesce(paid.paid, 0) as decimal(18, 2)) as paid_usd,
    cast(coalesce(earned.total, 0) - coalesce(paid.paid, 0) as decimal(18, 2)) as balance_usd,
    coalesce(paid.payouts, 0) as payouts,
    earned.last_earned_at
from earned
full outer join paid on earned.partner_id = paid.partner_id
