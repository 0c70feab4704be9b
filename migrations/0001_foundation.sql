-- What every later migration leans on: extensions, the role that reads for users, and who that user is.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Reads for a user run under this role, for which row level security holds. Roles belong to the whole server,
-- so another database on it may have made this one already, or be making it right now.
DO $$
BEGIN
    CREATE ROLE parlance_reader NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('GRANT parlance_reader TO %I', current_user);
EXCEPTION
    WHEN unique_violation THEN NULL;
    -- Two databases that migrate at once may update the same row of the role catalogue.
    WHEN internal_error THEN
        IF SQLERRM NOT LIKE '%concurrently updated%' THEN RAISE; END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO parlance_reader;

-- The user for whom this transaction reads; NULL, and so nobody, when none was set.
CREATE FUNCTION parlance_user_id() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT NULLIF(current_setting('parlance.user_id', true), '')::uuid $$;
