-- Accounts: who there is, how they prove it, and on which devices they are signed in.
--
-- What everybody may see (`users`) and what only its owner or only the engine may see (`accounts`,
-- `refresh_tokens`, `external_identities`) are different tables, so that no read made for a user can reach a
-- password hash, and no write of a profile can reach a role. The engine sets all times from its own clock.

-- The public side of a person.
CREATE TABLE users (
    id             uuid PRIMARY KEY,
    -- Case is kept and ignored: "Ada" and "ada" are one name. ASCII, so that no two names look the same.
    username       citext NOT NULL UNIQUE CHECK (username::text ~ '^[A-Za-z0-9][A-Za-z0-9._-]{2,31}$'),
    full_name      text CHECK (char_length(full_name) BETWEEN 1 AND 100),
    avatar_url     text CHECK (octet_length(avatar_url) BETWEEN 1 AND 2048),
    status_message text CHECK (char_length(status_message) BETWEEN 1 AND 200),
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL,
    -- Not granted to readers: presence decides who learns it, for a user may be invisible.
    last_seen_at   timestamptz,
    -- Set: the account is closed for signing in; its messages keep their author.
    disabled_at    timestamptz
);

-- Searching people by a part of either name.
CREATE INDEX users_search ON users USING gin (lower(username::text) gin_trgm_ops, lower(full_name) gin_trgm_ops);

-- The private side of the same person.
CREATE TABLE accounts (
    user_id         uuid PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- NULL for a user of an outside issuer, whose address is that issuer's business.
    email           citext UNIQUE CHECK (octet_length(email::text) BETWEEN 3 AND 254),
    role            text NOT NULL DEFAULT 'user' CHECK (role IN ('admin', 'user')),
    -- argon2id in PHC form, so that it says its own parameters; NULL: signing in with a password is not possible.
    password_hash   text,
    phone           text CHECK (phone ~ '^\+[0-9]{7,15}$'),
    preferences     jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(preferences) = 'object'),
    last_sign_in_at timestamptz
);

-- A sign-in on a device, and all refresh tokens that rotate from it. Revoking it ends them all.
CREATE TABLE token_families (
    id                uuid PRIMARY KEY,
    user_id           uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The client's own name for the device; signing in again on it replaces the family.
    device_id         text CHECK (char_length(device_id) BETWEEN 1 AND 64),
    device_name       text CHECK (char_length(device_name) BETWEEN 1 AND 100),
    created_at        timestamptz NOT NULL,
    last_used_at      timestamptz NOT NULL,
    -- When the last token of each sort ends: until then a revoked family is remembered, after that it is deleted.
    access_expires_at timestamptz NOT NULL,
    expires_at        timestamptz NOT NULL,
    revoked_at        timestamptz,
    revoked_reason    text CHECK (revoked_reason IN ('logout', 'reuse', 'replaced', 'too_many', 'disabled')),
    CHECK ((revoked_at IS NULL) = (revoked_reason IS NULL))
);

CREATE INDEX token_families_of_user ON token_families (user_id, last_used_at);
-- What the engine loads at start: families whose access tokens must be refused although they have not run out.
CREATE INDEX token_families_revoked ON token_families (access_expires_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX token_families_expiry ON token_families (expires_at);

-- Used tokens stay until they expire, because using one a second time is how a theft shows.
CREATE TABLE refresh_tokens (
    -- SHA-256 of 256 random bits: nothing to guess, so nothing slower is needed, and a stolen backup signs nobody in.
    hash       bytea PRIMARY KEY CHECK (octet_length(hash) = 32),
    family_id  uuid NOT NULL REFERENCES token_families (id) ON DELETE CASCADE,
    issued_at  timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);

CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- Who a subject of an outside issuer is here. Never matched by email: whoever controls an issuer could claim any.
CREATE TABLE external_identities (
    issuer     text NOT NULL CHECK (char_length(issuer) BETWEEN 1 AND 500),
    subject    text NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 255),
    user_id    uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE INDEX external_identities_of_user ON external_identities (user_id);

-- Reads for a user. No table grants a write to the reader role, and the columns of each grant are all that it can name:
-- `SELECT *` fails rather than leaks.
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE token_families ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE external_identities ENABLE ROW LEVEL SECURITY;

CREATE POLICY signed_in_see_people ON users FOR SELECT
    USING (parlance_user_id() IS NOT NULL);
SELECT parlance_grant('SELECT (id, username, full_name, avatar_url, status_message, created_at, disabled_at) ON users');

CREATE POLICY own_account ON accounts FOR SELECT
    USING (user_id = parlance_user_id());
SELECT parlance_grant('SELECT (user_id, email, role, phone, preferences, last_sign_in_at) ON accounts');

CREATE POLICY own_devices ON token_families FOR SELECT
    USING (user_id = parlance_user_id());
SELECT parlance_grant('SELECT (id, user_id, device_id, device_name, created_at, last_used_at, expires_at, revoked_at, revoked_reason) ON token_families');

-- The directory that user search reads. Under a policy Postgres uses an index only for leakproof operators, and
-- neither LIKE nor citext's are, so a search of `users` itself would read every row. This view runs as its owner,
-- shows the public columns, and shows them to anybody who is signed in: the same rule, with the indexes.
CREATE VIEW user_directory AS
    SELECT id, username, full_name, avatar_url, created_at
    FROM users
    WHERE parlance_user_id() IS NOT NULL AND disabled_at IS NULL;
SELECT parlance_grant('SELECT ON user_directory');
