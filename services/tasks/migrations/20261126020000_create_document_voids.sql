-- Documents that no longer hold (作废), with the one in their place (替换). The document itself stays as it was issued, and so
-- does its number.
CREATE TABLE document_voids (
    document_id uuid PRIMARY KEY REFERENCES documents,
    voided_at timestamptz NOT NULL,
    cause text NOT NULL CHECK (cause IN ('wrong_content', 'issued_in_error', 'circumstances_changed')),
    reason text NOT NULL CHECK (reason <> ''),
    voided_by jsonb NOT NULL,
    -- A document takes the place of one other at most.
    replaced_by uuid UNIQUE REFERENCES documents CHECK (replaced_by <> document_id)
);
CREATE TRIGGER document_voids_are_final BEFORE UPDATE OR DELETE ON document_voids
    FOR EACH ROW EXECUTE FUNCTION refuse_document_change();
