{#- Hours, not documents: a poll that brings twenty documents at once says one thing about the rhythm, not twenty. -#}
with hours as (

    select distinct
        source_id,
        date_trunc('hour', landed_at) as arrived_hour_at
    from {{ ref('stg_documents') }}

)

select
    source_id,
    arrived_hour_at,
    cast(arrived_hour_at as date) as arrived_date,
    date_diff(
        'hour', lag(arrived_hour_at) over (partition by source_id order by arrived_hour_at), arrived_hour_at
    ) as gap_hours
from hours
