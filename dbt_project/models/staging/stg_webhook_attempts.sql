with source as (

    select * from {{ source('core', 'webhook_deliveries') }}

),

renamed as (

    select
        attempt_id,
        delivery_id,
        attempt_number,
        trigger as attempt_trigger,
        organization_id,
        round_id,
        match_id,
        profile,
        event_type,
        -- Host alone: a path or user of a webhook URL is often its only secret.
        {{ url_host('endpoint_url') }} as endpoint_host,
        status as attempt_status,
        response_code,
        duration_ms,
        error_class,
        error as attempt_error,
        response_excerpt,
        document_landed_at,
        matched_at,
        started_at,
        cast(started_at as date) as started_date,
        finished_at
    from source

)

select * from renamed
