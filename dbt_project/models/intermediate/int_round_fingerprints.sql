{#- A table: it is read twice in a build, and every text of every round is gone through for it. -#}
{{ config(materialized='table') }}

with rounds as (

    select round_id, hash(source) as of_round
    from {{ ref('stg_funding_rounds') }} as source

),

-- A sum, because the order of documents says nothing.
texts as (

    select
        links.round_id,
        sum(hash(documents, mentions.evidence)) as of_texts
    from {{ ref('stg_round_mentions') }} as links
    inner join {{ ref('stg_documents') }} as documents on links.document_id = documents.document_id
    left join {{ ref('stg_mentions') }} as mentions on links.document_id = mentions.document_id
    group by links.round_id

),

matches as (

    select
        round_id,
        count(*) as organizations_matched,
        count(*) filter (where delivery_status = 'delivered') as organizations_told
    from {{ ref('int_match_outcomes') }}
    group by round_id

)

select
    rounds.round_id,
    {{ made_of(['rounds.of_round', 'texts.of_texts', 'matches.organizations_matched', 'matches.organizations_told']) }} as made_of
from rounds
left join texts on rounds.round_id = texts.round_id
left join matches on rounds.round_id = matches.round_id
