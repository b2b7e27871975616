with documents as (

    select * from {{ ref('stg_documents') }}

),

mentions as (

    select * from {{ ref('stg_mentions') }}

),

reports as (

    select
        links.document_id,
        links.round_id,
        row_number() over (
            partition by links.round_id order by documents.document_seq, links.document_id
        ) = 1 as is_first_report
    from {{ ref('stg_round_mentions') }} as links
    inner join documents on links.document_id = documents.document_id
    inner join {{ ref('stg_funding_rounds') }} as rounds on links.round_id = rounds.round_id

),

-- A document reports one round at most; should it ever be linked to two, it still counts once.
one_report as (

    select
        document_id,
        min(round_id) as round_id,
        bool_or(is_first_report) as is_first_report
    from reports
    group by document_id

)

select
    documents.document_id,
    documents.source_id,
    documents.document_kind,
    documents.landed_at,
    documents.landed_date,
    documents.is_catch_up,
    mentions.document_id is not null as is_read,
    coalesce(mentions.is_funding, false) as is_funding,
    mentions.set_aside_reason,
    mentions.set_aside_reason is not null as is_set_aside,
    one_report.round_id,
    coalesce(one_report.is_first_report, false) as is_first_report
from documents
left join mentions on documents.document_id = mentions.document_id
left join one_report on documents.document_id = one_report.document_id
