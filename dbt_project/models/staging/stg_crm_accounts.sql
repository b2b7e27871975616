with source as (

    select * from {{ source('core', 'crm_accounts') }}

),

renamed as (

    select
        organization_id,
        external_id as account_external_id,
        name as account_name,
        domain as account_domain,
        nullif(domain_key, '') as domain_key,
        nullif(name_key, '') as name_key,
        created_at,
        updated_at,
        change_seq
    from source

)

select * from renamed
