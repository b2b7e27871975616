with source as (

    select * from {{ source('core', 'matches') }}

),

renamed as (

    select
        match_id,
        organization_id,
        round_id,
        match_type,
        account_external_id,
        contact_external_id,
        score,
        rule as match_rule,
        crm_value,
        round_value,
        matcher_version,
        cast(all_matches as json) as all_matches,
        origin as match_origin,
        matched_at,
        cast(matched_at as date) as matched_date
    from source

)

select * from renamed
