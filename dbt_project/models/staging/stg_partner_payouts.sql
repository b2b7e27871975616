with source as (

    select * from {{ source('core', 'partner_payouts') }}

),

renamed as (

    select
        payout_id,
        partner_id,
        cast(cast(amount_cents as decimal(18, 0)) * 0.01 as decimal(18, 2)) as amount_usd,
        processed_at
    from source

)

select * from renamed
