with leads as (

    select * from {{ ref('stg_partner_leads') }}

),

flagged as (

    select
        lead_id,
        count(*) filter (where is_flagged) as jumps
    from {{ ref('stg_partner_lead_changes') }}
    group by lead_id

)

select
    leads.partner_id,
    leads.created_month,
    any_value(leads.organization_id) as organization_id,
    count(*) as referrals,
    count(*) filter (where leads.coarse_status = 'click') as clicks,
    count(*) filter (where leads.coarse_status = 'lead') as leads,
    count(*) filter (where leads.coarse_status = 'application') as applications,
    count(*) filter (where leads.coarse_status = 'funded') as funded,
    count(*) filter (where leads.application_status = 'not_approved') as declined,
    {{ share("count(*) filter (where leads.coarse_status = 'funded')", 'count(*)') }} as share_funded,
    cast(coalesce(sum(leads.funded_usd) filter (where leads.coarse_status = 'funded'), 0) as decimal(18, 2)) as funded_usd,
    count(*) filter (
        where leads.coarse_status = 'funded' and leads.funded_usd > 0 and leads.commissioned_at is null
    ) as funded_without_commissions,
    cast(coalesce(sum(flagged.jumps), 0) as bigint) as illegal_jumps
from leads
left join flagged on leads.lead_id = flagged.lead_id
group by leads.partner_id, leads.created_month
