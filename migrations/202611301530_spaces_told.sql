-- The devices of whoever is in a space hear of it at once, whoever changes it and by whatever means. Spaces are few and change
-- rarely: nothing here fires for a message, nor for the count of members, which would tell everybody of everybody.

-- 'space_joined SPACE USER,USER,…' and 'space_left SPACE REASON USER,USER,…', as many users as fit the 8000 bytes of a
-- notification. The reason: 'deleted' is the space, 'left' did who took themselves out (parlance.by), 'removed' was everybody
-- else. Who is deleted with their account has no device to hear it.
CREATE FUNCTION parlance_tell_of_space_members() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', concat_ws(' ',
        CASE TG_OP WHEN 'INSERT' THEN 'space_joined' ELSE 'space_left' END, part.space_id, part.reason, part.users))
    FROM (
        SELECT numbered.space_id, numbered.reason, string_agg(numbered.user_id::text, ',') AS users
        FROM (
            SELECT told.*, (row_number() OVER (PARTITION BY told.space_id, told.reason) - 1) / 200 AS part
            FROM (
                SELECT changed.space_id, changed.user_id, CASE
                    -- Left out by concat_ws.
                    WHEN TG_OP = 'INSERT' THEN NULL
                    WHEN NOT EXISTS (SELECT FROM spaces WHERE spaces.id = changed.space_id) THEN 'deleted'
                    WHEN NULLIF(current_setting('parlance.by', true), '')::uuid = changed.user_id THEN 'left'
                    ELSE 'removed'
                END AS reason
                FROM changed JOIN users ON users.id = changed.user_id
            ) AS told
        ) AS numbered
        GROUP BY numbered.space_id, numbered.reason, numbered.part
    ) AS part;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_joining
    AFTER INSERT ON space_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_space_members();

CREATE TRIGGER tell_of_leaving
    AFTER DELETE ON space_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_space_members();

-- 'space_updated SPACE': for all of its members. 'space_updated SPACE USER': for whose role it is.
CREATE FUNCTION parlance_tell_of_space() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', 'space_updated ' || NEW.id);
    RETURN NULL;
END
$$;

CREATE FUNCTION parlance_tell_of_space_role() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', concat_ws(' ', 'space_updated', NEW.space_id, NEW.user_id));
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF name, topic ON spaces
    FOR EACH ROW WHEN ((OLD.name, OLD.topic) IS DISTINCT FROM (NEW.name, NEW.topic))
    EXECUTE FUNCTION parlance_tell_of_space();

CREATE TRIGGER tell_of_change
    AFTER UPDATE OF role ON space_members
    FOR EACH ROW WHEN (OLD.role <> NEW.role)
    EXECUTE FUNCTION parlance_tell_of_space_role();
