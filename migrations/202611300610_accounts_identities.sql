-- Whose subject of an outside issuer is somebody else's now, or nobody's: their sockets by tokens of that issuer end, too.

-- 'identity USER': such rows are made once and hardly ever touched again.
CREATE FUNCTION parlance_tell_of_identity() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes', 'identity ' || moved.user_id)
    FROM (SELECT DISTINCT user_id FROM changed) AS moved;
    RETURN NULL;
END
$$;

-- In place of a trigger that told of no row as well, for each user who was deleted.
DROP TRIGGER tell_of_change ON external_identities;
DROP FUNCTION parlance_tell_of_identities();

CREATE TRIGGER tell_of_change
    AFTER UPDATE ON external_identities
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_identity();

CREATE TRIGGER tell_of_end
    AFTER DELETE ON external_identities
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_tell_of_identity();
