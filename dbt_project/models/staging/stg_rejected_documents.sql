with source as (

    select * from {{ source('raw', 'rejected_documents') }}

),

renamed as (

    select
        landing_id,
        coalesce(entry, '') as entry,
        source_id,
        kind as document_kind,
        reason,
        detail,
        rejected_at,
        cast(rejected_at as date) as rejected_date
    from source

)

select * from renamed
