with source as (

    select * from {{ source('core', 'organizations') }}

),

renamed as (

    select
        organization_id,
        slug as organization_slug,
        name as organization_name,
        coalesce(has_webhook, false) as has_webhook
    from source

)

select * from renamed
