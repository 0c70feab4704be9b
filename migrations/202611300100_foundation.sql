-- What every later migration leans on: extensions, the role that reads for users, and who that user is.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Reads for a user run under the reader role, for which row level security holds. Roles belong to the whole server, so
-- the engine chooses the name (storage.reader_role), makes the role, and tells the name as parlance.reader_role. What the
-- role may read is kept, so that it can be granted anew: to a role of another name, or after a restore without roles.
CREATE TABLE reader_grants (
    -- As it stands after GRANT, such as 'SELECT (id, username) ON users'.
    privilege text PRIMARY KEY
);

CREATE FUNCTION parlance_grant(privilege text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO reader_grants VALUES (privilege) ON CONFLICT DO NOTHING;
    EXECUTE format('GRANT %s TO %I', privilege, current_setting('parlance.reader_role'));
END
$$;

DO $$
BEGIN
    PERFORM parlance_grant(format('USAGE ON SCHEMA %I', current_schema()));
END
$$;

-- The user for whom this transaction reads; NULL, and so nobody, when none was set.
CREATE FUNCTION parlance_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('parlance.user_id', true), '')::uuid $$;

-- Which life of the log this is. Clients keep it with the newest seq of each room: a database that came back from a
-- backup gives the same numbers to other events, and has another epoch.
CREATE TABLE log_epoch (
    -- One row.
    one         boolean PRIMARY KEY DEFAULT true CHECK (one),
    epoch       uuid NOT NULL,
    begun_at    timestamptz NOT NULL
);
