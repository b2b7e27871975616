with earning as (

    select
        lead_id,
        partner_id,
        funded_usd,
        commissioned_at
    from {{ ref('stg_partner_leads') }}
    where commissioned_at is not null

),

partners as (

    select * from {{ ref('stg_referral_partners') }}

),

-- The lead's partner, the partner who brought that one, and the one who brought that.
receivers as (

    select
        earning.*,
        1 as commission_level,
        earning.partner_id as receiver_id
    from earning

    union all

    select
        earning.*,
        2 as commission_level,
        own.upline_id as receiver_id
    from earning
    inner join partners as own on earning.partner_id = own.partner_id

    union all

    select
        earning.*,
        3 as commission_level,
        above.upline_id as receiver_id
    from earning
    inner join partners as own on earning.partner_id = own.partner_id
    inner join partners as above on own.upline_id = above.partner_id

),

-- Each by the rate that was in force for it at that moment.
rated as (

    select
        receivers.lead_id,
        receivers.receiver_id as partner_id,
        receivers.commission_level,
        receivers.funded_usd,
        receivers.commissioned_at,
        rates.percentage
    from receivers
    asof inner join {{ ref('stg_partner_rates') }} as rates
        on receivers.receiver_id = rates.partner_id
        and receivers.commission_level = rates.commission_level
        and receivers.commissioned_at >= rates.valid_from

),

-- round() of a decimal rounds half away from zero, which is half up here, since nothing is negative.
shares as (

    select
        *,
        cast(round(cast(funded_usd as decimal(20, 2)) * cast(percentage * 0.01 as decimal(9, 4)), 2) as decimal(18, 2)) as due_usd
    from rated

)

select * from shares
where due_usd > 0
