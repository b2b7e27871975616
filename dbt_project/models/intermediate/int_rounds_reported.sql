select
    links.round_id,
    links.document_id,
    documents.document_seq,
    documents.source_id,
    documents.landed_date
from {{ ref('stg_round_mentions') }} as links
inner join {{ ref('stg_documents') }} as documents on links.document_id = documents.document_id
where links.round_id in (select round_id from {{ ref('stg_funding_rounds') }})
