-- Identities of the government's sign-on (统一身份) that may sign in to an account, with who bound and who ended them. The subject
-- stands here alone: no version of the register and no event carries it.
CREATE TABLE identities (
    identity_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts,
    issuer text NOT NULL,
    subject text NOT NULL,
    bound_at timestamptz NOT NULL,
    bound_by uuid NOT NULL,
    ended_at timestamptz,
    ended_by uuid,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX identities_account_idx ON identities (account_id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX identities_subject_idx ON identities (issuer, subject) WHERE ended_at IS NULL;

-- Somebody signed in gave the password a moment ago and went to the sign-on, to bind what comes back. Machine time.
CREATE TABLE identity_permits (
    account_id uuid PRIMARY KEY REFERENCES accounts,
    expires_at timestamptz NOT NULL
);

-- The former version writes no way.
ALTER TABLE sessions ADD COLUMN way text NOT NULL DEFAULT 'password' CHECK (way IN ('password', 'sign_on'));
