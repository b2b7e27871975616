-- The parts of duration_ms, each from the end of the one before; NULL where not come to, or not needed.
ALTER TABLE core.webhook_deliveries ADD COLUMN resolve_ms DOUBLE;
ALTER TABLE core.webhook_deliveries ADD COLUMN connect_ms DOUBLE;
ALTER TABLE core.webhook_deliveries ADD COLUMN tls_ms DOUBLE;
ALTER TABLE core.webhook_deliveries ADD COLUMN first_byte_ms DOUBLE;
ALTER TABLE core.webhook_deliveries ADD COLUMN is_reused_connection BOOLEAN;
-- FALSE: no byte of the request left. TRUE, or not known: some may have.
ALTER TABLE core.webhook_deliveries ADD COLUMN is_request_sent BOOLEAN;
