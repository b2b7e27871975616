with source as (

    select * from {{ source('core', 'partner_commissions') }}

),

renamed as (

    select
        commission_id,
        lead_id,
        partner_id,
        organization_id,
        level as commission_level,
        percentage,
        cast(cast(base_cents as decimal(18, 0)) * 0.01 as decimal(18, 2)) as base_usd,
        cast(cast(amount_cents as decimal(18, 0)) * 0.01 as decimal(18, 2)) as amount_usd,
        payout_id,
        earned_at
    from source

)

select * from renamed
