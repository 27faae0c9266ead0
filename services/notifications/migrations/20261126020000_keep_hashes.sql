-- What names the signed document exactly: the SHA-256 of its frozen content.
ALTER TABLE receipts ADD COLUMN content_sha256 text NOT NULL DEFAULT '';
ALTER TABLE receipts ALTER COLUMN content_sha256 DROP DEFAULT;
