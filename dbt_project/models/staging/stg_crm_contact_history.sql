with source as (

    select * from {{ source('core', 'crm_contact_history') }}

),

renamed as (

    select
        organization_id,
        external_id as contact_external_id,
        nullif(email_domain_key, '') as email_domain_key,
        valid_from,
        valid_to
    from source

)

select * from renamed
