with source as (

    select * from {{ source('core', 'partner_leads') }}

),

renamed as (

    select
        lead_id,
        partner_id,
        organization_id,
        referral_type,
        status as coarse_status,
        application_status,
        cast(cast(funded_cents as decimal(18, 0)) * 0.01 as decimal(18, 2)) as funded_usd,
        commissioned_at,
        is_erased,
        created_at,
        cast(date_trunc('month', created_at) as date) as created_month
    from source

)

select * from renamed
