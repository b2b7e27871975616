with source as (

    select * from {{ source('raw', 'documents') }}

),

renamed as (

    select
        document_id,
        document_seq,
        revision,
        source_id,
        outlet,
        kind as document_kind,
        url as document_url,
        title as document_title,
        language,
        published_at,
        landed_at,
        cast(landed_at as date) as landed_date,
        coalesce(is_catch_up, false) as is_catch_up
    from source

)

select * from renamed
