with source as (

    select * from {{ source('raw', 'source_hours') }}

),

renamed as (

    select
        source_id,
        hour_at,
        cast(hour_at as date) as hour_date,
        coalesce(polls, 0) as polls,
        coalesce(not_modified, 0) as not_modified,
        coalesce(landed, 0) as landed,
        coalesce(failures, 0) as failures,
        coalesce(bytes_read, 0) as bytes_read,
        last_error,
        coalesce(polls, 0) > coalesce(failures, 0) as has_success
    from source

)

select * from renamed
