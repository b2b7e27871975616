with organizations as (

    select * from {{ ref('int_organizations') }}

),

documents as (

    select
        documents.landed_date as day,
        count(*) as documents,
        count(*) filter (where mentions.is_funding) as funding_mentions
    from {{ ref('stg_documents') }} as documents
    left join {{ ref('stg_mentions') }} as mentions on documents.document_id = mentions.document_id
    group by documents.landed_date

),

rounds as (

    select
        first_seen_date as day,
        count(*) as rounds,
        count(*) filter (where is_telling) as rounds_telling
    from {{ ref('stg_funding_rounds') }}
    where round_status = 'active'
    group by first_seen_date

),

matches as (

    select
        organization_id,
        matched_date as day,
        count(*) as matches,
        count(*) filter (where match_type = 'account_domain') as matches_account_domain,
        count(*) filter (where match_type = 'email_domain') as matches_email_domain,
        count(*) filter (where match_type = 'account_name') as matches_account_name,
        count(*) filter (where delivery_status = 'delivered') as deliveries_delivered,
        count(*) filter (where delivery_status = 'failed') as deliveries_failed,
        count(*) filter (where delivery_status = 'no_webhook') as deliveries_no_webhook,
        count(*) filter (where delivery_status = 'held') as deliveries_held,
        count(*) filter (where delivery_status = 'pending') as deliveries_pending
    from {{ ref('int_match_outcomes') }}
    group by organization_id, matched_date

),

days as (

    select day from documents
    union
    select day from rounds
    union
    select day from matches

)

select
    days.day,
    organizations.organization_id,
    organizations.organization_slug,
    coalesce(documents.documents, 0) as documents,
    coalesce(documents.funding_mentions, 0) as funding_mentions,
    coalesce(rounds.rounds, 0) as rounds,
    coalesce(rounds.rounds_telling, 0) as rounds_telling,
    coalesce(matches.matches, 0) as matches,
    coalesce(matches.matches_account_domain, 0) as matches_account_domain,
    coalesce(matches.matches_email_domain, 0) as matches_email_domain,
    coalesce(matches.matches_account_name, 0) as matches_account_name,
    coalesce(matches.deliveries_delivered, 0) as deliveries_delivered,
    coalesce(matches.deliveries_failed, 0) as deliveries_failed,
    coalesce(matches.deliveries_no_webhook, 0) as deliveries_no_webhook,
    coalesce(matches.deliveries_held, 0) as deliveries_held,
    coalesce(matches.deliveries_pending, 0) as deliveries_pending
from days
cross join organizations
left join documents on days.day = documents.day
left join rounds on days.day = rounds.day
left join matches
    on days.day = matches.day
    and organizations.organization_id = matches.organization_id
