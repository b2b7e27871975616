-- Accounts by numbers, a part of the index over names (matching/name_index.py), which is rebuilt for its new version. A name's number
-- is its hash now.
ALTER TABLE core.match_names ALTER name_no TYPE UBIGINT USING NULL;
ALTER TABLE core.match_keys ALTER name_no TYPE UBIGINT USING NULL;
CREATE TABLE core.match_rows (change_seq BIGINT, name_no UBIGINT, domain_no UBIGINT);
COMMENT ON COLUMN core.match_rows.change_seq IS 'The account''s place in the order of changes.';
COMMENT ON COLUMN core.match_rows.name_no IS 'Number of its name, NULL where it has none.';
COMMENT ON COLUMN core.match_rows.domain_no IS 'Its domain, hashed; NULL where it has none.';
