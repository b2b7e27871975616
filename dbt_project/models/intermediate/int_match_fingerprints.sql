{#- A table: it is read four times in a build. -#}
{{ config(materialized='table') }}

with outcomes as (

    select match_id, organization_id, round_id, made_of
    from {{ ref('int_match_outcomes') }}
    where matched_at >= {{ as_of() }} - interval {{ var('explained_days') }} day

)

select
    outcomes.match_id,
    {{ made_of(['outcomes.made_of', 'rounds.made_of', 'organizations.organization_slug']) }} as made_of
from outcomes
left join {{ ref('int_round_fingerprints') }} as rounds on outcomes.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on outcomes.organization_id = organizations.organization_id
