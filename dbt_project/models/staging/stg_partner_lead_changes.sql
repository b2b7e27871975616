with source as (

    select * from {{ source('core', 'partner_lead_changes') }}

),

renamed as (

    select
        lead_id,
        number as change_number,
        partner_id,
        old_stage,
        new_stage,
        snapshot_date,
        is_flagged,
        changed_at
    from source

)

select * from renamed
