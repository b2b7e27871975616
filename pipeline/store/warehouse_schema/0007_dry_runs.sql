-- What a backfill would change, as its last dry runs found it. Nothing else reads it.
CREATE SCHEMA IF NOT EXISTS recovery;
CREATE TABLE recovery.dry_run_changes (
    run_id VARCHAR,               -- the Dagster run that tried it
    change VARCHAR,               -- new_match, changed_match, unchanged (held), same_round, to_review, new_round, changed_round, ended_round
    organization_id VARCHAR,      -- the partner
    round_id VARCHAR,             -- the funding round
    company_name VARCHAR,         -- the round's company
    match_type VARCHAR,           -- account_domain, email_domain or account_name; NULL for changes of a round
    account_external_id VARCHAR,  -- id of the account in the partner's CRM
    contact_external_id VARCHAR,  -- id of the contact in the partner's CRM; NULL for matches by account
    score DOUBLE,                 -- how sure the match is, from 0 to 1
    rule VARCHAR,                 -- which rule of matching it was
    crm_value VARCHAR,            -- what the CRM row says
    round_value VARCHAR,          -- what the round says
    with_deliver VARCHAR,         -- what `deliver` would do with it: send, no_webhook, or nothing
    before VARCHAR,               -- what the ledger or the round says now; it is kept
    first_day DATE,               -- the first day that was tried, UTC
    last_day DATE,                -- the last one, included
    crm VARCHAR,                  -- today, of_that_day
    tried_at TIMESTAMP            -- UTC
);
