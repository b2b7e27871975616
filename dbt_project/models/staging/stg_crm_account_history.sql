with source as (

    select * from {{ source('core', 'crm_account_history') }}

),

renamed as (

    select
        organization_id,
        external_id as account_external_id,
        nullif(domain_key, '') as domain_key,
        nullif(name_key, '') as name_key,
        valid_from,
        valid_to
    from source

)

select * from renamed
