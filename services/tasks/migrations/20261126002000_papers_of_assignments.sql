-- The paper of a step of the ladder (约谈通知书、通报) belongs to the case and, beside it, to the assignment that it answers.
ALTER TABLE documents ADD COLUMN assignment_id uuid REFERENCES assignments,
    ADD CONSTRAINT a_paper_of_a_step_is_of_a_case CHECK (assignment_id IS NULL OR case_id IS NOT NULL);
CREATE INDEX documents_assignment_id_idx ON documents (assignment_id) WHERE assignment_id IS NOT NULL;
