-- Who brought whom, and what partners earn at each level, so that commissions can be computed here once more. No names.
CREATE TABLE core.referral_partners (
    partner_id BIGINT,             -- the API's referrer_id
    organization_id VARCHAR,       -- the partner's organization
    upline_id BIGINT,              -- the partner who brought it; NULL: nobody
    status VARCHAR,                -- active, suspended or pending
    created_at TIMESTAMP           -- UTC
);
CREATE TABLE core.partner_rates (
    partner_id BIGINT,             -- who earns
    level INTEGER,                 -- 1: with own leads; 2 and 3: with leads of the downline
    percentage DECIMAL(5,2),       -- in percent of what is funded; 0: nothing any more
    valid_from TIMESTAMP           -- UTC; in force until the next row of the partner and level
);
