-- Documents that a unit has to acknowledge (签收).
CREATE TABLE receipts (
    receipt_id uuid PRIMARY KEY,
    document_id uuid NOT NULL UNIQUE,
    document_kind text NOT NULL,
    doc_no text NOT NULL,
    title text NOT NULL,
    unit_id uuid NOT NULL,
    unit_name text NOT NULL,
    area_path uuid[] NOT NULL,
    unit_ids uuid[] NOT NULL,
    issuing_unit_id uuid NOT NULL,
    issuing_unit_name text NOT NULL,
    case_id uuid NOT NULL,
    rectification_id uuid,
    issued_at timestamptz NOT NULL,
    due_on date NOT NULL,
    due_at timestamptz NOT NULL,
    signed_at timestamptz,
    signed_by uuid,
    signer_name text,
    CHECK (num_nulls(signed_at, signed_by, signer_name) IN (0, 3))
);
CREATE INDEX receipts_unit_id_idx ON receipts (unit_id, issued_at DESC, receipt_id DESC);
CREATE INDEX receipts_case_id_idx ON receipts (case_id);
CREATE INDEX receipts_rectification_id_idx ON receipts (rectification_id);
