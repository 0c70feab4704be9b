-- A vault for secrets of others: keys of AI providers, tokens of bridges, keys of push. Encrypted by the engine, under
-- master keys that are not in the database (src/vault): a copy of these tables alone opens nothing.

CREATE TABLE vault_secrets (
    id          uuid PRIMARY KEY,
    -- Whose it is and what it is called there: 'ai.provider' and the provider's id.
    scope       text NOT NULL CHECK (octet_length(scope) BETWEEN 1 AND 64),
    name        text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 200),
    -- For people.
    label       text NOT NULL CHECK (char_length(label) <= 200),
    -- The last characters of the secret where that gives nothing away; NULL: of a short or binary one.
    hint        text CHECK (char_length(hint) <= 8),
    -- Counts the values that it has had; bound into the ciphertext as id, scope and name are, so that none of them can be
    -- put into the place of another.
    version     integer NOT NULL CHECK (version >= 1),
    -- Nonce, ciphertext and tag, under a data key of this value's own.
    ciphertext  bytea NOT NULL CHECK (octet_length(ciphertext) >= 40),
    -- Nonce, that data key encrypted under a master key, and tag.
    wrapped_key bytea NOT NULL CHECK (octet_length(wrapped_key) = 72),
    -- Which master key: a fingerprint, so that another one is known for another without trying.
    key_id      text NOT NULL CHECK (key_id ~ '^[0-9a-f]{16}$'),
    created_at  timestamptz NOT NULL,
    -- NULL: the engine itself, an operator, or somebody whose account is gone; vault_audit knows.
    created_by  uuid REFERENCES users (id) ON DELETE SET NULL,
    -- When it got its present value, if that is not the first.
    replaced_at timestamptz,
    -- When its data key was last wrapped by a newer master key.
    rotated_at  timestamptz,
    last_used_at timestamptz,
    UNIQUE (scope, name)
);

CREATE INDEX vault_secrets_of_key ON vault_secrets (key_id, id);
CREATE INDEX vault_secrets_by_author ON vault_secrets (created_by) WHERE created_by IS NOT NULL;

-- What was done with them and by whom. Outlives the secret and the account: no foreign keys.
CREATE TABLE vault_audit (
    id          uuid PRIMARY KEY,
    at          timestamptz NOT NULL,
    -- 'read': used; one row stands for all uses by the same part of one engine within a minute.
    what        text NOT NULL CHECK (what IN ('created', 'read', 'replaced', 'deleted', 'rotated')),
    secret_id   uuid NOT NULL,
    scope       text NOT NULL,
    name        text NOT NULL,
    -- From where: a part of the engine itself, somebody who is signed in, or an operator at the command line.
    origin      text NOT NULL CHECK (origin IN ('engine', 'user', 'operator')),
    user_id     uuid,
    -- The part of the engine, or the operator's account of the system.
    by_name     text CHECK (char_length(by_name) BETWEEN 1 AND 100),
    CHECK ((origin = 'user') = (user_id IS NOT NULL) AND (origin = 'user') = (by_name IS NULL))
);

CREATE INDEX vault_audit_of_secret ON vault_audit (secret_id, id);
-- Who looks for something that was deleted knows its name.
CREATE INDEX vault_audit_of_name ON vault_audit (scope, name, id);
CREATE INDEX vault_audit_age ON vault_audit (at);

-- No policy and no grant: nobody's read reaches a row of either.
ALTER TABLE vault_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE vault_audit ENABLE ROW LEVEL SECURITY;
