with source as (

    select * from {{ source('core', 'crm_contacts') }}

),

renamed as (

    select
        organization_id,
        external_id as contact_external_id,
        email,
        account_external_id,
        nullif(email_domain_key, '') as email_domain_key,
        created_at,
        updated_at,
        change_seq
    from source

)

select * from renamed
