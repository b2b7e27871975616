with organizations as (

    select * from {{ ref('int_organizations') }}

),

matched_rows as (

    select distinct organization_id, row_kind, row_external_id
    from {{ ref('int_matched_rows') }}

),

contacts as (

    select * from {{ ref('stg_crm_contacts') }}

),

accounts_reached_by_contact as (

    select distinct organization_id, account_external_id
    from contacts
    where email_domain_key is not null and account_external_id is not null

),

accounts as (

    select
        accounts.organization_id,
        accounts.account_external_id,
        nullif(trim(accounts.account_domain), '') is not null as has_domain,
        accounts.domain_key is not null as has_domain_key,
        accounts.name_key is not null as has_name_key,
        reached.account_external_id is not null as has_work_contact,
        matched_rows.row_external_id is not null as is_ever_matched
    from {{ ref('stg_crm_accounts') }} as accounts
    left join accounts_reached_by_contact as reached
        on accounts.organization_id = reached.organization_id
        and accounts.account_external_id = reached.account_external_id
    left join matched_rows
        on accounts.organization_id = matched_rows.organization_id
        and accounts.account_external_id = matched_rows.row_external_id
        and matched_rows.row_kind = 'account'

),

accounts_counted as (

    select
        organization_id,
        count(*) as accounts,
        count(*) filter (where has_domain) as accounts_with_domain,
        count(*) filter (where has_domain and not has_domain_key) as accounts_with_unusable_domain,
        count(*) filter (where has_domain_key) as accounts_matchable_by_domain,
        count(*) filter (where not has_domain_key and has_work_contact) as accounts_matchable_by_contact,
        count(*) filter (where not has_domain_key and not has_work_contact and has_name_key) as accounts_matchable_by_name,
        count(*) filter (where not has_domain_key and not has_work_contact and not has_name_key) as accounts_not_matchable,
        count(*) filter (where is_ever_matched) as accounts_ever_matched
    from accounts
    group by organization_id

),

contacts_joined as (

    select
        contacts.organization_id,
        nullif(trim(contacts.email), '') is not null as has_email,
        contacts.email_domain_key is not null as has_work_email,
        coalesce(accounts.has_domain_key or accounts.has_name_key, false) as has_matchable_account,
        matched_rows.row_external_id is not null as is_ever_matched
    from contacts
    left join accounts
        on contacts.organization_id = accounts.organization_id
        and contacts.account_external_id = accounts.account_external_id
    left join matched_rows
        on contacts.organization_id = matched_rows.organization_id
        and contacts.contact_external_id = matched_rows.row_external_id
        and matched_rows.row_kind = 'contact'

),

contacts_counted as (

    select
        organization_id,
        count(*) as contacts,
        count(*) filter (where has_email) as contacts_with_email,
        count(*) filter (where has_work_email) as contacts_with_work_email,
        count(*) filter (where not has_work_email and has_matchable_account) as contacts_covered_by_account,
        count(*) filter (where not has_work_email and not has_matchable_account) as contacts_not_matchable,
        count(*) filter (where is_ever_matched) as contacts_ever_matched
    from contacts_joined
    group by organization_id

),

matches as (

    select
        organization_id,
        count(*) as matches,
        max(matched_at) as last_matched_at
    from {{ ref('stg_matches') }}
    group by organization_id

),

growth as (

    select
        organization_id,
        cast(sum(accounts_added) as bigint) as accounts_added_last_7_days,
        cast(sum(contacts_added) as bigint) as contacts_added_last_7_days
    from {{ ref('stg_crm_snapshots') }}
    where
        snapshot_date > cast({{ as_of() }} as date) - 7
        and snapshot_date <= cast({{ as_of() }} as date)
    group by organization_id

)

select
    organizations.organization_id,
    organizations.organization_slug,
    organizations.organization_name,
    organizations.has_webhook,
    coalesce(accounts_counted.accounts, 0) as accounts,
    coalesce(accounts_counted.accounts_with_domain, 0) as accounts_with_domain,
    coalesce(accounts_counted.accounts_with_unusable_domain, 0) as accounts_with_unusable_domain,
    coalesce(accounts_counted.accounts_matchable_by_domain, 0) as accounts_matchable_by_domain,
    coalesce(accounts_counted.accounts_matchable_by_contact, 0) as accounts_matchable_by_contact,
    coalesce(accounts_counted.accounts_matchable_by_name, 0) as accounts_matchable_by_name,
    coalesce(accounts_counted.accounts_not_matchable, 0) as accounts_not_matchable,
    coalesce(accounts_counted.accounts_ever_matched, 0) as accounts_ever_matched,
    {{ share('accounts_counted.accounts_with_domain', 'accounts_counted.accounts') }} as share_accounts_with_domain,
    {{ share('accounts_counted.accounts_ever_matched', 'accounts_counted.accounts') }} as share_accounts_ever_matched,
    coalesce(contacts_counted.contacts, 0) as contacts,
    coalesce(contacts_counted.contacts_with_email, 0) as contacts_with_email,
    coalesce(contacts_counted.contacts_with_work_email, 0) as contacts_with_work_email,
    coalesce(contacts_counted.contacts_covered_by_account, 0) as contacts_covered_by_account,
    coalesce(contacts_counted.contacts_not_matchable, 0) as contacts_not_matchable,
    coalesce(contacts_counted.contacts_ever_matched, 0) as contacts_ever_matched,
    {{ share('contacts_counted.contacts_with_work_email', 'contacts_counted.contacts') }} as share_contacts_with_work_email,
    {{ share('contacts_counted.contacts_ever_matched', 'contacts_counted.contacts') }} as share_contacts_ever_matched,
    coalesce(growth.accounts_added_last_7_days, 0) as accounts_added_last_7_days,
    coalesce(growth.contacts_added_last_7_days, 0) as contacts_added_last_7_days,
    coalesce(matches.matches, 0) as matches,
    matches.last_matched_at
from organizations
left join accounts_counted on organizations.organization_id = accounts_counted.organization_id
left join contacts_counted on organizations.organization_id = contacts_counted.organization_id
left join growth on organizations.organization_id = growth.organization_id
left join matches on organizations.organization_id = matches.organization_id
