with rounds as (

    select *
    from {{ ref('stg_funding_rounds') }}
    where
        round_status = 'active'
        and first_seen_at >= {{ as_of() }} - interval {{ var('missed_match_days') }} day
        -- A round that the match step has not come to yet is not missed.
        and round_seq <= coalesce(
            (select max(position) from {{ ref('stg_progress') }} where step = 'match_rounds'), 0
        )

),

keys as (

    select *
    from {{ ref('int_crm_row_keys') }}
    where change_seq <= coalesce(
        (select max(position) from {{ ref('stg_progress') }} where step = 'match_crm'), 0
    )

),

agreeing as (

    select
        keys.organization_id, rounds.round_id, keys.row_kind, keys.row_external_id, keys.match_type,
        keys.key_value, keys.key_since
    from rounds
    inner join keys on rounds.domain_key = keys.domain_key and keys.match_type in ('account_domain', 'email_domain')

    union all

    -- Equal names on two different web sites are two companies.
    select
        keys.organization_id, rounds.round_id, keys.row_kind, keys.row_external_id, keys.match_type,
        keys.key_value, keys.key_since
    from rounds
    inner join keys on rounds.company_key = keys.key_value and keys.match_type = 'account_name'
    where rounds.domain_key is null or keys.domain_key is null or rounds.domain_key = keys.domain_key

),

ranked as (

    select
        *,
        row_number() over (
            partition by organization_id, round_id, row_kind, row_external_id
            order by {{ path_rank('match_type') }}
        ) as path_rank
    from agreeing

)

select
    organization_id,
    round_id,
    row_kind,
    row_external_id,
    match_type,
    key_value,
    key_since
from ranked
where path_rank = 1
