-- Accounts that are run: a password is changed, a device is signed out from another, an admin makes a link that sets a
-- new password.

-- 'password': the password was changed, and every other sign-in with it. 'reset': by a link. 'remote': signed out from
-- another device of the same person, or by an operator.
ALTER TABLE token_families DROP CONSTRAINT token_families_revoked_reason_check;
ALTER TABLE token_families ADD CONSTRAINT token_families_revoked_reason_check CHECK (revoked_reason IN
    ('logout', 'reuse', 'replaced', 'too_many', 'disabled', 'password', 'reset', 'remote'));

-- A link that sets a new password: one an account, good once and for a while. Only the engine reads it.
CREATE TABLE password_resets (
    user_id    uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of 256 random bits, as for refresh tokens: a stolen backup opens no account.
    hash       bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX password_resets_expiry ON password_resets (expires_at);

ALTER TABLE password_resets ENABLE ROW LEVEL SECURITY;
