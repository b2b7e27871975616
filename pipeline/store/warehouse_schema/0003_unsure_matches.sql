-- Name matches that a person decides, as in the app database's queue.
CREATE TABLE core.match_reviews (
    review_id VARCHAR, organization_id VARCHAR, round_id VARCHAR,
    round_value VARCHAR,          -- the round's company
    crm_value VARCHAR,            -- the account's name
    account_external_id VARCHAR,  -- of the first row under this name
    rows_matched INTEGER,
    score DOUBLE, rule VARCHAR, matcher_version VARCHAR,
    send_threshold DOUBLE, review_threshold DOUBLE,  -- the organization's, when it was asked
    origin VARCHAR,               -- live, backfill
    status VARCHAR,               -- waiting, approved, rejected, superseded, expired, withdrawn
    decided_by VARCHAR, decided_at TIMESTAMP, note VARCHAR,
    outcome VARCHAR,              -- of an approval: told, no_webhook, known, same_round
    match_id VARCHAR, asked_at TIMESTAMP, updated_at TIMESTAMP
);

-- Name matches scored a little below what is sent or reviewed. Bounded: see matching/near_misses.py.
CREATE TABLE core.near_misses (
    organization_id VARCHAR, round_id VARCHAR, account_external_id VARCHAR, score DOUBLE, rule VARCHAR,
    crm_value VARCHAR, round_value VARCHAR, matcher_version VARCHAR,
    explanation JSON,             -- what decided, as far as the matcher says
    review_threshold DOUBLE,      -- what it would have needed to be asked about
    found_at TIMESTAMP
);
