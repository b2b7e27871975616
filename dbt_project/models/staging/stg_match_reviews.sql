with source as (

    select * from {{ source('core', 'match_reviews') }}

),

renamed as (

    select
        review_id,
        organization_id,
        round_id,
        round_value,
        crm_value,
        account_external_id,
        rows_matched,
        score,
        rule as match_rule,
        matcher_version,
        send_threshold,
        review_threshold,
        origin as review_origin,
        status as review_status,
        decided_by,
        decided_at,
        note,
        outcome as review_outcome,
        match_id,
        asked_at,
        cast(date_trunc('week', asked_at) as date) as asked_week
    from source

)

select * from renamed
