with source as (

    select * from {{ source('core', 'mentions') }}

),

renamed as (

    select
        document_id,
        signal_type,
        coalesce(is_funding, false) as is_funding,
        set_aside_reason,
        company_name,
        company_key,
        domain_key,
        amount_usd,
        funding_type,
        confidence_score,
        cast(evidence as json) as evidence,
        extractor_version,
        extracted_at
    from source

)

select * from renamed
