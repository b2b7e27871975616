with hours as (

    select * from {{ ref('stg_source_hours') }}

),

documents as (

    select * from {{ ref('stg_documents') }}

),

-- A source is watched from the first sign of it until it was forgotten, or until now.
spans as (

    select
        source_id,
        min(seen_at) as first_seen_at,
        least(
            max(seen_at) + interval {{ var('source_forgotten_after_days') }} day, {{ as_of() }}
        ) as last_day_at
    from (
        select source_id, hour_at as seen_at from hours
        union all
        select source_id, landed_at as seen_at from documents
    )
    where seen_at <= {{ as_of() }}
    group by source_id

)

select
    source_id,
    cast(day_at as date) as day,
    -- The last moment of the day that the marts know of.
    least(day_at + interval 1 day, {{ as_of() }}) as ends_at
from (
    select
        source_id,
        unnest(
            generate_series(date_trunc('day', first_seen_at), date_trunc('day', last_day_at), interval 1 day)
        ) as day_at
    from spans
)
