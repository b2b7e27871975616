{#- Documents and the sentences read in them, gathered by round: of rounds that somebody's CRM matched, the others explain nothing. -#}
with matched as (

    select distinct round_id
    from {{ ref('stg_matches') }}
    where matched_at >= {{ as_of() }} - interval {{ var('explained_days') }} day

),

documents as (

    select
        links.round_id,
        documents.document_id,
        documents.document_seq,
        documents.document_url,
        documents.document_title,
        documents.outlet,
        documents.published_at,
        mentions.evidence
    from {{ ref('stg_round_mentions') }} as links
    inner join matched on links.round_id = matched.round_id
    inner join {{ ref('stg_documents') }} as documents on links.document_id = documents.document_id
    left join {{ ref('stg_mentions') }} as mentions on links.document_id = mentions.document_id

),

articles as (

    select
        round_id,
        cast(
            to_json(
                list(
                    struct_pack(
                        title := document_title,
                        url := document_url,
                        outlet := outlet,
                        published_at := strftime(published_at, '%Y-%m-%dT%H:%M:%SZ')
                    )
                    order by document_seq, document_id
                )
            ) as varchar
        ) as articles_json
    from documents
    group by round_id

),

sentences as (

    select
        round_id,
        document_seq,
        document_url,
        unnest(
            from_json(
                case when json_type(evidence) = 'ARRAY' then evidence else cast('[]' as json) end,
                '[{"field": "VARCHAR", "value": "VARCHAR", "text": "VARCHAR"}]'
            )
        ) as item
    from documents
    -- What has expired, or was read in nothing, needs no look.
    where evidence <> '[]'

),

evidence as (

    select
        round_id,
        cast(
            to_json(
                list(
                    struct_pack(field := item.field, value := item.value, text := item.text, url := document_url)
                    order by document_seq, item.field, item.value, item.text
                )
            ) as varchar
        ) as evidence_json
    from sentences
    group by round_id

)

select
    articles.round_id,
    articles.articles_json,
    coalesce(evidence.evidence_json, '[]') as evidence_json
from articles
left join evidence on articles.round_id = evidence.round_id
