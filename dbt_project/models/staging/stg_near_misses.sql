with source as (

    select * from {{ source('core', 'near_misses') }}

),

renamed as (

    select
        organization_id,
        round_id,
        account_external_id,
        score,
        rule as match_rule,
        crm_value,
        round_value,
        review_threshold,
        found_at
    from source

)

select * from renamed
