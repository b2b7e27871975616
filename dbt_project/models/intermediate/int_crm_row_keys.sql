with accounts as (

    select * from {{ ref('stg_crm_accounts') }}

),

contacts as (

    select * from {{ ref('stg_crm_contacts') }}

),

account_history as (

    select * from {{ ref('stg_crm_account_history') }}

),

contact_history as (

    select * from {{ ref('stg_crm_contact_history') }}

),

domains_since as (

    select organization_id, account_external_id, domain_key, min(valid_from) as key_since
    from account_history
    where domain_key is not null
    group by organization_id, account_external_id, domain_key

),

names_since as (

    select organization_id, account_external_id, name_key, min(valid_from) as key_since
    from account_history
    where name_key is not null
    group by organization_id, account_external_id, name_key

),

emails_since as (

    select organization_id, contact_external_id, email_domain_key, min(valid_from) as key_since
    from contact_history
    where email_domain_key is not null
    group by organization_id, contact_external_id, email_domain_key

),

keys as (

    select
        accounts.organization_id,
        'account' as row_kind,
        accounts.account_external_id as row_external_id,
        'account_domain' as match_type,
        accounts.domain_key as key_value,
        accounts.domain_key,
        coalesce(domains_since.key_since, accounts.created_at) as key_since,
        accounts.change_seq
    from accounts
    left join domains_since
        on accounts.organization_id = domains_since.organization_id
        and accounts.account_external_id = domains_since.account_external_id
        and accounts.domain_key = domains_since.domain_key
    where accounts.domain_key is not null

    union all

    select
        contacts.organization_id,
        'contact' as row_kind,
        contacts.contact_external_id as row_external_id,
        'email_domain' as match_type,
        contacts.email_domain_key as key_value,
        contacts.email_domain_key as domain_key,
        coalesce(emails_since.key_since, contacts.created_at) as key_since,
        contacts.change_seq
    from contacts
    left join emails_since
        on contacts.organization_id = emails_since.organization_id
        and contacts.contact_external_id = emails_since.contact_external_id
        and contacts.email_domain_key = emails_since.email_domain_key
    where contacts.email_domain_key is not null

    union all

    select
        accounts.organization_id,
        'account' as row_kind,
        accounts.account_external_id as row_external_id,
        'account_name' as match_type,
        accounts.name_key as key_value,
        accounts.domain_key,
        coalesce(names_since.key_since, accounts.created_at) as key_since,
        accounts.change_seq
    from accounts
    left join names_since
        on accounts.organization_id = names_since.organization_id
        and accounts.account_external_id = names_since.account_external_id
        and accounts.name_key = names_since.name_key
    where accounts.name_key is not null

)

select * from keys
