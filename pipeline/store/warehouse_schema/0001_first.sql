-- The warehouse's tables. Portable (the same statements run on a DuckLake): no sequences, keys or indexes.
-- Every TIMESTAMP is UTC. One writer at a time holds the file, so a running number is max + 1.

CREATE SCHEMA IF NOT EXISTS raw;
CREATE SCHEMA IF NOT EXISTS core;

-- How far each step has come, written in the transaction of the step's own rows.
CREATE TABLE core.progress (step VARCHAR, position BIGINT, updated_at TIMESTAMP);

-- One row per document in its newest revision.
CREATE TABLE raw.documents (
    document_id VARCHAR,          -- stable whatever GUIDs, dates and titles do
    document_seq BIGINT,          -- order of arrival; a new revision gets a new number
    revision INTEGER,             -- 1, and one more each time title or text changed
    source_id VARCHAR,
    outlet VARCHAR,
    kind VARCHAR,                 -- article, form_d
    url VARCHAR,
    guid VARCHAR,
    title VARCHAR,
    body VARCHAR,
    body_origin VARCHAR,          -- feed, article, form_d
    language VARCHAR,             -- ISO 639-1, as the source states it
    published_at TIMESTAMP,       -- as stated, or NULL; never later than landed_at
    landed_at TIMESTAMP,
    landing_id BIGINT,
    landing_sha256 VARCHAR,
    is_catch_up BOOLEAN,
    form_d JSON                   -- the filing's fields, for kind form_d
);

-- What could not be read, with its reason; the bytes are in the landing.
CREATE TABLE raw.rejected_documents (
    landing_id BIGINT, landing_sha256 VARCHAR, source_id VARCHAR, kind VARCHAR, url VARCHAR,
    entry VARCHAR,                -- Which entry of the landed body, by its id, address or text; empty: all of it.
    reason VARCHAR,               -- Why, as one word, which `fundingscout documents replay` takes.
    detail VARCHAR,
    rejected_at TIMESTAMP
);

-- Polls of the sources, counted by hour.
CREATE TABLE raw.source_hours (
    source_id VARCHAR, hour_at TIMESTAMP, polls INTEGER, not_modified INTEGER, landed INTEGER, failures INTEGER,
    bytes_read BIGINT, last_error VARCHAR
);

-- One row per document: what it claims.
CREATE TABLE core.mentions (
    document_id VARCHAR, document_seq BIGINT, revision INTEGER,
    mention_seq BIGINT,           -- a mention that is new, or was read otherwise, gets a new number: resolving goes by it
    is_recovered BOOLEAN,         -- read in a backfill: founds rounds, but tells nobody by itself
    signal_type VARCHAR,          -- funding_round, acquisition, job_change, hiring, new_company, none
    is_funding BOOLEAN,
    set_aside_reason VARCHAR,     -- why it makes no round: not_funding, stale, rumour, fund_close, …
    company_name VARCHAR, company_key VARCHAR, domain_key VARCHAR, cik VARCHAR,
    amount DECIMAL(20, 2), currency VARCHAR, amount_usd BIGINT, usd_rate_date DATE,
    funding_type VARCHAR, round_flavor VARCHAR,
    website VARCHAR, city VARCHAR, country VARCHAR, industry VARCHAR, description VARCHAR,
    ceo_name VARCHAR, ceo_email VARCHAR, ceo_linkedin_url VARCHAR,
    investors JSON,               -- [{name, is_lead, type}]
    announced_date DATE,
    accession VARCHAR, previous_accession VARCHAR,
    confidence_score DOUBLE, confidence_reasons JSON,
    evidence JSON,                -- [{field, value, text, origin}]
    details JSON,                 -- the fields of the other signal types
    extractor_version VARCHAR, extracted_at TIMESTAMP
);

-- One row per real-world round.
CREATE TABLE core.funding_rounds (
    round_id VARCHAR,             -- never changes
    round_seq BIGINT,             -- a changed round gets a new number
    company_name VARCHAR, company_key VARCHAR, domain_key VARCHAR, cik VARCHAR,
    amount DECIMAL(20, 2), currency VARCHAR, amount_usd BIGINT, usd_rate_date DATE,
    funding_type VARCHAR, round_flavor VARCHAR,
    website VARCHAR, location VARCHAR, location_country VARCHAR, industry VARCHAR,
    ceo_name VARCHAR, ceo_email VARCHAR, ceo_linkedin_url VARCHAR,
    lead_investor VARCHAR, investors JSON,
    article_url VARCHAR, article_title VARCHAR, published_date DATE, announced_date DATE,
    confidence_score DOUBLE, confidence_reasons JSON,
    mention_count INTEGER, source_count INTEGER, conflicts JSON,
    accession VARCHAR,
    tells BOOLEAN,                -- false: known, but nobody is told (read while catching up, or in a backfill)
    tells_from_seq BIGINT,        -- the round_seq with which it began to tell; NULL before
    status VARCHAR,               -- active, retracted
    first_seen_at TIMESTAMP, updated_at TIMESTAMP
);

CREATE TABLE core.round_mentions (
    round_id VARCHAR, document_id VARCHAR, linked_by VARCHAR, linked_at TIMESTAMP
);

-- CRM rows as they are, with the keys they are matched by.
CREATE TABLE core.crm_accounts (
    organization_id VARCHAR, external_id VARCHAR, name VARCHAR, domain VARCHAR, metadata_json VARCHAR,
    domain_key VARCHAR, name_key VARCHAR,
    created_at TIMESTAMP, updated_at TIMESTAMP, change_seq BIGINT
);
CREATE TABLE core.crm_contacts (
    organization_id VARCHAR, external_id VARCHAR, email VARCHAR, first_name VARCHAR, last_name VARCHAR,
    account_external_id VARCHAR, metadata_json VARCHAR,
    email_domain_key VARCHAR,     -- NULL for free-mail providers
    created_at TIMESTAMP, updated_at TIMESTAMP, change_seq BIGINT
);

-- The same rows through time: valid from valid_from until valid_to (NULL: still).
CREATE TABLE core.crm_account_history (
    organization_id VARCHAR, external_id VARCHAR, name VARCHAR, domain VARCHAR, metadata_json VARCHAR,
    domain_key VARCHAR, name_key VARCHAR, created_at TIMESTAMP, valid_from TIMESTAMP, valid_to TIMESTAMP
);
CREATE TABLE core.crm_contact_history (
    organization_id VARCHAR, external_id VARCHAR, email VARCHAR, first_name VARCHAR, last_name VARCHAR,
    account_external_id VARCHAR, metadata_json VARCHAR, email_domain_key VARCHAR,
    created_at TIMESTAMP, valid_from TIMESTAMP, valid_to TIMESTAMP
);

-- One row per day and organization: how many rows the CRM had at the end of that day (UTC) and what had changed.
CREATE TABLE core.crm_snapshots (
    snapshot_date DATE, organization_id VARCHAR, accounts BIGINT, accounts_with_domain BIGINT, contacts BIGINT,
    contacts_with_work_email BIGINT, accounts_added BIGINT, accounts_changed BIGINT, accounts_removed BIGINT,
    contacts_added BIGINT, contacts_changed BIGINT, contacts_removed BIGINT
);

CREATE TABLE core.organizations (organization_id VARCHAR, slug VARCHAR, name VARCHAR, has_webhook BOOLEAN);

-- One row per organization and round, as in the ledger, with the reason.
CREATE TABLE core.matches (
    match_id VARCHAR, organization_id VARCHAR, round_id VARCHAR, match_type VARCHAR,
    account_external_id VARCHAR, contact_external_id VARCHAR, score DOUBLE,
    rule VARCHAR, crm_value VARCHAR, round_value VARCHAR, matcher_version VARCHAR,
    all_matches JSON, origin VARCHAR, matched_at TIMESTAMP
);

-- One row per delivery attempt; attempt 0 stands for a match with no webhook to send it to.
CREATE TABLE core.webhook_deliveries (
    attempt_id BIGINT, delivery_id VARCHAR, attempt_number INTEGER, trigger VARCHAR,
    organization_id VARCHAR, round_id VARCHAR, match_id VARCHAR, profile VARCHAR, event_type VARCHAR,
    endpoint_url VARCHAR, resolved_address VARCHAR, body_sha256 VARCHAR,
    status VARCHAR, response_code INTEGER, response_excerpt VARCHAR, duration_ms DOUBLE,
    error_class VARCHAR, error VARCHAR,
    document_landed_at TIMESTAMP, matched_at TIMESTAMP, started_at TIMESTAMP, finished_at TIMESTAMP
);
