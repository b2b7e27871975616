{#- A table: it is read twice in a build. -#}
{{ config(materialized='table') }}

with matches as (

    select match_id, organization_id, round_id, hash(source) as of_match
    from {{ ref('stg_matches') }} as source
    where matched_at >= {{ as_of() }} - interval {{ var('explained_days') }} day

),

outcomes as (

    select match_id, hash(source) as of_outcome
    from {{ ref('int_match_outcomes') }} as source

)

select
    matches.match_id,
    {{ made_of(['matches.of_match', 'outcomes.of_outcome', 'rounds.made_of', 'organizations.organization_slug']) }} as made_of
from matches
left join outcomes on matches.match_id = outcomes.match_id
left join {{ ref('int_round_fingerprints') }} as rounds on matches.round_id = rounds.round_id
left join {{ ref('int_organizations') }} as organizations on matches.organization_id = organizations.organization_id
