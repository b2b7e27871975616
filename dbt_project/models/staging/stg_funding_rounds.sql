with source as (

    select * from {{ source('core', 'funding_rounds') }}

),

renamed as (

    select
        round_id,
        round_seq,
        company_name,
        company_key,
        domain_key,
        cik,
        amount,
        currency,
        amount_usd,
        usd_rate_date,
        funding_type,
        round_flavor,
        website,
        location,
        location_country,
        industry,
        ceo_name,
        lead_investor,
        investors,
        {{ json_items('investors') }} as investor_count,
        article_url,
        article_title,
        published_date,
        announced_date,
        confidence_score,
        {{ json_items('conflicts') }} as conflict_count,
        accession,
        coalesce(tells, true) as is_telling,
        status as round_status,
        first_seen_at,
        cast(first_seen_at as date) as first_seen_date,
        updated_at
    from source

)

select * from renamed
