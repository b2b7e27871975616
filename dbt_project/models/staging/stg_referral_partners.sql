with source as (

    select * from {{ source('core', 'referral_partners') }}

),

renamed as (

    select
        partner_id,
        organization_id,
        upline_id,
        status as partner_status,
        created_at
    from source

)

select * from renamed
