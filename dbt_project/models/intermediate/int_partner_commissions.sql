with commissions as (

    select * from {{ ref('stg_partner_commissions') }}

)

-- The share once more, from the rate and what was funded, in exact decimals: round() of a decimal rounds half away from zero,
-- which is half up here, since nothing is negative.
select
    commission_id,
    lead_id,
    partner_id,
    organization_id,
    commission_level,
    percentage,
    base_usd,
    amount_usd,
    cast(round(cast(base_usd as decimal(20, 2)) * cast(percentage * 0.01 as decimal(9, 4)), 2) as decimal(18, 2)) as due_usd,
    payout_id,
    payout_id is not null as is_paid,
    earned_at
from commissions
