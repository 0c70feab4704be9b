-- Ends of accounts and sign-ins that the other triggers do not tell of.

-- A family that is deleted ends its sockets, too. A socket goes on for a moment after its token has expired
-- (sessions.token_grace_s, ten minutes at most), and the clock of an engine may be behind the one here.
CREATE OR REPLACE FUNCTION parlance_tell_of_deleted_families() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', concat_ws(' ', 'signed_out', ended.user_id, ended.id,
        ceil(extract(epoch FROM ended.access_expires_at))::bigint, COALESCE(ended.revoked_reason, 'logout')))
    FROM ended
    -- Families that are deleted because they have run out are nobody's news.
    WHERE ended.access_expires_at > now() - interval '15 minutes';
    RETURN NULL;
END
$$;

-- 'accounts': anything about accounts. TRUNCATE fires no trigger for its rows.
CREATE FUNCTION parlance_tell_of_accounts() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', 'accounts');
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_truncation
    AFTER TRUNCATE ON users
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_accounts();

CREATE TRIGGER tell_of_truncation
    AFTER TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_accounts();

CREATE TRIGGER tell_of_truncation
    AFTER TRUNCATE ON token_families
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_accounts();

CREATE TRIGGER tell_of_truncation
    AFTER TRUNCATE ON external_identities
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_accounts();
