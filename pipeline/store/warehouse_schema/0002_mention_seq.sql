-- A mention that is new or was read otherwise gets a new number: what resolving goes by.
ALTER TABLE core.mentions ADD COLUMN mention_seq BIGINT;
UPDATE core.mentions SET mention_seq = document_seq;
