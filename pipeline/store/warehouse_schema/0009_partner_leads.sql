-- Partners' leads and earnings, copied whole from the app database. Nothing here says who a lead is: persons stay sealed there.
CREATE TABLE core.partner_leads (
    lead_id BIGINT,                -- the number in the lead's reference id
    partner_id BIGINT,             -- who submitted it, or whose link was followed; the API's referrer_id
    organization_id VARCHAR,       -- the partner's organization
    referral_type VARCHAR,         -- api_lead, manual_lead or traffic
    status VARCHAR,                -- the coarse status now: click, lead, application or funded
    application_status VARCHAR,    -- the stage now, of eleven; NULL before an application is linked
    funded_cents BIGINT,           -- what was funded, in cents of a dollar; NULL while not known
    commissioned_at TIMESTAMP,     -- UTC, when its commissions were written; NULL: not yet
    is_erased BOOLEAN,             -- the person was forgotten; statuses and amounts stay
    created_at TIMESTAMP           -- UTC
);
CREATE TABLE core.partner_lead_changes (
    lead_id BIGINT,                -- the lead
    number INTEGER,                -- which of its changes, from 1, which is the submission
    partner_id BIGINT,             -- the lead's partner
    old_stage VARCHAR,             -- the stage before; the coarse status where there was none; NULL: it was submitted
    new_stage VARCHAR,             -- the stage after it
    snapshot_date DATE,            -- the day whose snapshot showed it; NULL: it was submitted
    is_flagged BOOLEAN,            -- no step of the pipeline leads there
    changed_at TIMESTAMP           -- UTC, when it was noticed and told
);
CREATE TABLE core.partner_commissions (
    commission_id BIGINT,          -- a number of its own
    lead_id BIGINT,                -- the funded lead it was earned with
    partner_id BIGINT,             -- who earned it
    organization_id VARCHAR,       -- the earner's organization
    level INTEGER,                 -- 1: own lead; 2 and 3: a lead of the downline
    percentage DECIMAL(5,2),       -- the rate at that moment, in percent
    base_cents BIGINT,             -- what was funded, in cents
    amount_cents BIGINT,           -- the share of it, rounded half up to cents
    payout_id BIGINT,              -- the payout that settled it; NULL: pending
    earned_at TIMESTAMP            -- UTC
);
CREATE TABLE core.partner_payouts (
    payout_id BIGINT,              -- a number of its own
    partner_id BIGINT,             -- who was paid
    amount_cents BIGINT,           -- how much, in cents
    processed_at TIMESTAMP         -- UTC
);
CREATE TABLE core.status_snapshots (
    snapshot_date DATE,            -- the day that it shows
    status VARCHAR,                -- waiting, applied, or late (its day was past: it did nothing)
    leads BIGINT,                  -- lines in it
    sha256 VARCHAR,                -- of the file
    received_at TIMESTAMP,         -- UTC
    applied_at TIMESTAMP           -- UTC; NULL while it waits, and for late ones
);
