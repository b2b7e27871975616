{#- Read out of JSON once: a match stays as it was found. The number is its outcome's, which has all of the match in it. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_what_is_no_longer_so('match_id', ref('int_match_outcomes')) }}",
) }}

with to_make as (

    {{ rows_to_make('match_id', ref('int_match_outcomes')) }}

),

matches as (

    select
        matches.*,
        to_make.made_of
    from {{ ref('stg_matches') }} as matches
    inner join to_make on matches.match_id = to_make.match_id

),

listed as (

    select
        match_id,
        made_of,
        organization_id,
        round_id,
        unnest(
            from_json(
                case when json_type(all_matches) = 'ARRAY' then all_matches else cast('[]' as json) end,
                '[{"match_type": "VARCHAR", "account_external_id": "VARCHAR", "contact_external_id": "VARCHAR"}]'
            )
        ) as item
    from matches

),

-- all_matches begins with the match itself; it is added here for ledgers that keep no list.
paths as (

    select
        match_id,
        made_of,
        organization_id,
        round_id,
        match_type,
        account_external_id,
        contact_external_id,
        true as is_primary
    from matches
    union all
    select
        match_id,
        made_of,
        organization_id,
        round_id,
        item.match_type as match_type,
        item.account_external_id as account_external_id,
        item.contact_external_id as contact_external_id,
        false as is_primary
    from listed

),

-- By e-mail the contact is the row that matched, and the account it is linked to comes along.
crm_rows as (

    select
        match_id, made_of, organization_id, round_id, match_type, is_primary,
        'contact' as row_kind, contact_external_id as row_external_id, false as is_linked
    from paths
    where match_type = 'email_domain'
    union all
    select
        match_id, made_of, organization_id, round_id, match_type, is_primary,
        'account' as row_kind, account_external_id as row_external_id, match_type = 'email_domain' as is_linked
    from paths

)

select
    match_id,
    organization_id,
    round_id,
    row_kind,
    row_external_id,
    arg_min(match_type, {{ path_rank('match_type') }}) as match_type,
    bool_or(is_primary) as is_primary,
    bool_and(is_linked) as is_linked,
    made_of
from crm_rows
where row_external_id is not null
group by match_id, made_of, organization_id, round_id, row_kind, row_external_id
