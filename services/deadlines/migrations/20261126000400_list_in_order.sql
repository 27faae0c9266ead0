-- The list is read newest first, page by page: the index has exactly that order, or the whole province would be sorted for
-- each page. Who sees little is found by what he may see.
DROP INDEX dossiers_received_at_idx;
CREATE INDEX dossiers_received_at_idx ON dossiers (received_at DESC, rectification_id DESC);
CREATE INDEX dossiers_reader_ids_idx ON dossiers USING gin (reader_ids);
