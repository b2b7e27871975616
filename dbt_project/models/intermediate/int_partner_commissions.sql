with commissions as (

    select * from {{ ref('stg_partner_commissions') }}

),

due as (

    select * from {{ ref('int_partner_commissions_due') }}

)

-- The ledger against what is due: whatever only one of the two has stands beside a zero.
select
    commissions.commission_id,
    coalesce(commissions.lead_id, due.lead_id) as lead_id,
    coalesce(commissions.partner_id, due.partner_id) as partner_id,
    commissions.organization_id,
    coalesce(commissions.commission_level, due.commission_level) as commission_level,
    commissions.percentage,
    commissions.base_usd,
    cast(coalesce(commissions.amount_usd, 0) as decimal(18, 2)) as amount_usd,
    cast(round(cast(commissions.base_usd as decimal(20, 2)) * cast(commissions.percentage * 0.01 as decimal(9, 4)), 2) as decimal(18, 2))
        as share_usd,
    cast(coalesce(due.due_usd, 0) as decimal(18, 2)) as due_usd,
    commissions.payout_id,
    commissions.payout_id is not null as is_paid,
    commissions.earned_at
from commissions
full outer join due
    on commissions.lead_id = due.lead_id
    and commissions.commission_level = due.commission_level
    and commissions.partner_id = due.partner_id
