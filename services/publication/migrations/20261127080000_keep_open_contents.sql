-- What an open document (主动公开) says, as it was frozen: the portal shows it. Of any other nothing is kept.
ALTER TABLE documents ADD COLUMN content text CHECK (content IS NULL OR open);
CREATE INDEX documents_open_idx ON documents (issued_at DESC, document_id) WHERE open;
