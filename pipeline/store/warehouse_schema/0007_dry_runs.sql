-- What a backfill would change, as its last dry runs found it. Nothing else reads it.
CREATE SCHEMA IF NOT EXISTS recovery;
CREATE TABLE recovery.dry_run_changes (
    run_id VARCHAR,               -- the Dagster run that tried it
    change VARCHAR,               -- new_match, changed_match, unchanged (held), same_round, to_review, new_round, changed_round, ended_round
    organization_id VARCHAR, round_id VARCHAR, company_name VARCHAR,
    match_type VARCHAR, account_external_id VARCHAR, contact_external_id VARCHAR, score DOUBLE, rule VARCHAR,
    crm_value VARCHAR, round_value VARCHAR,
    with_deliver VARCHAR,         -- what `deliver` would do with it: send, no_webhook, or nothing
    before VARCHAR,               -- what the ledger or the round says now; it is kept
    first_day DATE, last_day DATE, -- the days that were tried (UTC, both included)
    crm VARCHAR,                  -- today, of_that_day
    tried_at TIMESTAMP            -- UTC
);
