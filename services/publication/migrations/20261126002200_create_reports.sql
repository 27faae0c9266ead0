-- The supervision report of a case: the term for publication runs from it (Regulation art. 23).
CREATE TABLE reports (
    case_id uuid PRIMARY KEY,
    document jsonb NOT NULL
);
CREATE INDEX publications_case_id_idx ON publications (((snapshot ->> 'case_id')::uuid)) WHERE state = 'draft';
