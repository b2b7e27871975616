{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_what_is_no_longer_so('round_id', ref('int_round_fingerprints')) }}",
) }}

with to_make as (

    {{ rows_to_make('round_id', ref('int_round_fingerprints')) }}

),

rounds as (

    select
        rounds.*,
        to_make.made_of
    from {{ ref('stg_funding_rounds') }} as rounds
    inner join to_make on rounds.round_id = to_make.round_id

),

documents as (

    select
        links.round_id,
        documents.document_id,
        documents.source_id,
        documents.document_kind,
        documents.landed_at,
        documents.is_catch_up,
        mentions.evidence
    from {{ ref('stg_round_mentions') }} as links
    inner join to_make on links.round_id = to_make.round_id
    inner join {{ ref('stg_documents') }} as documents on links.document_id = documents.document_id
    left join {{ ref('stg_mentions') }} as mentions on links.document_id = mentions.document_id

),

documents_counted as (

    select
        round_id,
        count(distinct document_id) as documents,
        count(distinct document_id) filter (where document_kind = 'article') as articles,
        count(distinct document_id) filter (where document_kind = 'form_d') as filings,
        count(distinct source_id) as sources,
        min(landed_at) as first_document_landed_at,
        max(landed_at) as last_document_landed_at
    from documents
    group by round_id

),

evidence as (

    select
        round_id,
        unnest(
            from_json(
                case when json_type(evidence) = 'ARRAY' then evidence else cast('[]' as json) end,
                '[{"field": "VARCHAR"}]'
            )
        ) as item
    from documents
    where evidence <> '[]'

),

evidence_counted as (

    select
        round_id,
        count(*) as evidence_texts,
        count(distinct item.field) as evidence_fields
    from evidence
    group by round_id

),

matches_counted as (

    select
        round_id,
        count(*) as organizations_matched,
        count(*) filter (where delivery_status = 'delivered') as organizations_told
    from {{ ref('int_match_outcomes') }}
    where round_id in (select round_id from to_make)
    group by round_id

)

select
    rounds.round_id,
    rounds.company_name,
    rounds.domain_key as company_domain,
    rounds.website,
    rounds.cik,
    rounds.funding_type,
    rounds.round_flavor,
    rounds.amount,
    rounds.currency,
    rounds.amount_usd,
    rounds.usd_rate_date,
    rounds.announced_date,
    rounds.published_date,
    rounds.location,
    rounds.location_country,
    rounds.industry,
    rounds.ceo_name,
    rounds.lead_investor,
    cast(rounds.investors as varchar) as investors_json,
    rounds.investor_count,
    rounds.article_url,
    rounds.article_title,
    rounds.accession,
    rounds.confidence_score,
    coalesce(documents_counted.documents, 0) as documents,
    coalesce(documents_counted.articles, 0) as articles,
    coalesce(documents_counted.filings, 0) as filings,
    coalesce(documents_counted.sources, 0) as sources,
    coalesce(evidence_counted.evidence_texts, 0) as evidence_texts,
    coalesce(evidence_counted.evidence_fields, 0) as evidence_fields,
    rounds.conflict_count as conflicts,
    coalesce(matches_counted.organizations_matched, 0) as organizations_matched,
    coalesce(matches_counted.organizations_told, 0) as organizations_told,
    rounds.is_telling,
    rounds.round_status,
    documents_counted.first_document_landed_at,
    documents_counted.last_document_landed_at,
    rounds.first_seen_at,
    rounds.updated_at,
    rounds.made_of
from rounds
left join documents_counted on rounds.round_id = documents_counted.round_id
left join evidence_counted on rounds.round_id = evidence_counted.round_id
left join matches_counted on rounds.round_id = matches_counted.round_id
