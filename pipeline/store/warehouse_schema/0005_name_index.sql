-- The index over the CRMs' names (matching/name_index.py): derived from crm_accounts, rebuilt when the matcher's version changes.
CREATE TABLE core.match_names (name_no BIGINT, name_key VARCHAR);  -- each comparison form once, whoever holds it
CREATE TABLE core.match_keys (key UBIGINT, name_no BIGINT);        -- what names are found by, hashed
CREATE TABLE core.match_words (word VARCHAR, names BIGINT);        -- in how many of the names a word is
