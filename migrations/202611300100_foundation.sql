-- What every later migration leans on: extensions, the role that reads for users, and who that user is.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Reads for a user run under the reader role, for which row level security holds. Roles belong to the whole server, so
-- the engine chooses the name (storage.reader_role), makes the role, lets it use this schema, and tells the name as
-- parlance.reader_role.
CREATE FUNCTION parlance_grant(privilege text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('GRANT %s TO %I', privilege, current_setting('parlance.reader_role'));
END
$$;

-- What guards those reads, as the migrations left it: policies, and what the role may read. The engine writes it down
-- after each migration and makes anew what is missing at a start: after a restore without roles or policies, or for a
-- role of another name. A grant's statement ends before TO.
CREATE TABLE reader_rights (
    what        text PRIMARY KEY,
    statement   text NOT NULL,
    -- The newest migration at that time: an engine that was killed before it wrote this down does so at its next start.
    as_of       bigint NOT NULL
);

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
    begun_at    timestamptz NOT NULL,
    -- Where the log was then: cluster, timeline, database, tables. Where that is another one, a new epoch begins.
    fingerprint jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(fingerprint) = 'object')
);
