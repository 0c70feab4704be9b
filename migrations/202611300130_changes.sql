-- Tells every engine on this database what was changed, whoever changed it, so that what engines keep in memory is
-- right. The channel is parlance_changes; src/changes reads it. A transaction that notifies takes a lock of the whole
-- server when it commits, so nothing here fires for a message, a read mark or a token that is refreshed.

-- 'user ID': what people see of somebody, or the standing of their account. 'closed ID': disabled or deleted.
CREATE FUNCTION parlance_tell_of_user() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('parlance_changes', 'closed ' || OLD.id);
    ELSIF NEW.disabled_at IS NOT NULL AND OLD.disabled_at IS NULL THEN
        PERFORM pg_notify('parlance_changes', 'closed ' || NEW.id);
    ELSE
        PERFORM pg_notify('parlance_changes', 'user ' || NEW.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF username, full_name, avatar_url, status_message, created_at, disabled_at ON users
    FOR EACH ROW
    WHEN ((OLD.username::text, OLD.full_name, OLD.avatar_url, OLD.status_message, OLD.created_at, OLD.disabled_at)
        IS DISTINCT FROM
        (NEW.username::text, NEW.full_name, NEW.avatar_url, NEW.status_message, NEW.created_at, NEW.disabled_at))
    EXECUTE FUNCTION parlance_tell_of_user();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION parlance_tell_of_user();

CREATE FUNCTION parlance_tell_of_account() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM pg_notify('parlance_changes', 'closed ' || OLD.user_id);
    ELSE
        PERFORM pg_notify('parlance_changes', 'user ' || NEW.user_id);
    END IF;
    RETURN NULL;
END
$$;

-- Not password_hash and last_sign_in_at: signing in changes nothing that is kept.
CREATE TRIGGER tell_of_change
    AFTER UPDATE OF email, role, phone, preferences ON accounts
    FOR EACH ROW
    WHEN ((OLD.email::text, OLD.role, OLD.phone, OLD.preferences)
        IS DISTINCT FROM (NEW.email::text, NEW.role, NEW.phone, NEW.preferences))
    EXECUTE FUNCTION parlance_tell_of_account();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION parlance_tell_of_account();

-- 'signed_out USER FAMILY UNIX_SECONDS REASON': no token of the family is good any more; the last of its access tokens
-- ends by itself at that time. A family that is deleted ends its sockets, too: a socket goes on for a moment after its
-- token has expired (sessions.token_grace_s, ten minutes at most), and the clock of an engine may be behind the one here.
CREATE FUNCTION parlance_tell_of_deleted_families() RETURNS trigger
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

CREATE FUNCTION parlance_tell_of_sign_out() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', concat_ws(' ', 'signed_out', NEW.user_id, NEW.id,
        ceil(extract(epoch FROM NEW.access_expires_at))::bigint, NEW.revoked_reason));
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF revoked_at ON token_families
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION parlance_tell_of_sign_out();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON token_families
    REFERENCING OLD TABLE AS ended
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_deleted_families();

-- 'identity USER': whose subject of an outside issuer is somebody else's now, or nobody's: their sockets by tokens of that
-- issuer end, too. Such rows are made once and hardly ever touched again.
CREATE FUNCTION parlance_tell_of_identity() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', 'identity ' || moved.user_id)
    FROM (SELECT DISTINCT user_id FROM changed) AS moved;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE ON external_identities
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_identity();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON external_identities
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_identity();

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

-- 'joined ROOM USER,USER,…' and 'left ROOM USER,USER,…', as many users as fit the 8000 bytes of a notification: a room
-- of ten thousand is made with fifty of them.
CREATE FUNCTION parlance_tell_of_members() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes',
        concat_ws(' ', CASE TG_OP WHEN 'INSERT' THEN 'joined' ELSE 'left' END, part.room_id, part.users))
    FROM (
        SELECT numbered.room_id, string_agg(numbered.user_id::text, ',') AS users
        FROM (
            SELECT room_id, user_id, (row_number() OVER (PARTITION BY room_id) - 1) / 200 AS part
            FROM changed WHERE user_id IS NOT NULL
        ) AS numbered
        GROUP BY numbered.room_id, numbered.part
    ) AS part;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_joining
    AFTER INSERT ON room_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_members();

CREATE TRIGGER tell_of_leaving
    AFTER DELETE ON room_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_members();

-- 'epoch EPOCH': the log is not the one that it was.
CREATE FUNCTION parlance_tell_of_epoch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', 'epoch ' || NEW.epoch);
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF epoch ON log_epoch
    FOR EACH ROW WHEN (OLD.epoch <> NEW.epoch)
    EXECUTE FUNCTION parlance_tell_of_epoch();
