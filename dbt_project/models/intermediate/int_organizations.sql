with known as (

    select * from {{ ref('stg_organizations') }}

),

-- An organization whose row has gone, or not come yet, still has matches that must be counted.
seen as (

    select distinct organization_id from {{ ref('stg_matches') }}
    union
    select distinct organization_id from {{ ref('stg_crm_accounts') }}
    union
    select distinct organization_id from {{ ref('stg_crm_contacts') }}

)

select
    coalesce(known.organization_id, seen.organization_id) as organization_id,
    coalesce(known.organization_slug, seen.organization_id) as organization_slug,
    coalesce(known.organization_name, seen.organization_id) as organization_name,
    coalesce(known.has_webhook, false) as has_webhook
from known
full outer join seen on known.organization_id = seen.organization_id
