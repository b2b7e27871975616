-- Two rounds that a later report showed to be one: the younger has the status 'merged', no documents, and the id of the other.
ALTER TABLE core.funding_rounds ADD COLUMN merged_into VARCHAR;
