with source as (

    select * from {{ source('core', 'partner_rates') }}

),

renamed as (

    select
        partner_id,
        level as commission_level,
        percentage,
        valid_from
    from source

)

select * from renamed
