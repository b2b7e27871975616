with source as (

    select * from {{ source('core', 'crm_snapshots') }}

),

renamed as (

    select
        snapshot_date,
        organization_id,
        accounts,
        accounts_with_domain,
        contacts,
        contacts_with_work_email,
        accounts_added,
        accounts_changed,
        accounts_removed,
        contacts_added,
        contacts_changed,
        contacts_removed
    from source

)

select * from renamed
