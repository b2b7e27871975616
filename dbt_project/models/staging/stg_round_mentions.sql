with source as (

    select * from {{ source('core', 'round_mentions') }}

),

renamed as (

    select
        round_id,
        document_id,
        linked_by,
        linked_at
    from source

)

select * from renamed
