with source as (

    select * from {{ source('core', 'progress') }}

),

renamed as (

    select
        step,
        max(position) as position,
        max(updated_at) as updated_at
    from source
    group by step

)

select * from renamed
