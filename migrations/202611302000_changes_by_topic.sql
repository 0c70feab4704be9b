-- What a trigger says on parlance_changes is 'TOPIC REST', and a topic needs no function of its own any more:
--
--     CREATE TRIGGER tell_of_change AFTER UPDATE OF name ON things
--         FOR EACH ROW WHEN (OLD.name IS DISTINCT FROM NEW.name)
--         EXECUTE FUNCTION parlance_tell_of_row('thing', 'id');
--
-- says 'thing ID': the topic, then these columns of the row, one word each. What is not there is left out.
CREATE FUNCTION parlance_tell_of_row() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    changed jsonb := COALESCE(to_jsonb(NEW), to_jsonb(OLD));
    told text := TG_ARGV[0];
BEGIN
    FOR place IN 1 .. TG_NARGS - 1 LOOP
        told := concat_ws(' ', told, changed ->> TG_ARGV[place]);
    END LOOP;
    PERFORM pg_notify('parlance_changes', told);
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER tell_of_change
    AFTER UPDATE OF name, topic ON spaces
    FOR EACH ROW WHEN ((OLD.name, OLD.topic) IS DISTINCT FROM (NEW.name, NEW.topic))
    EXECUTE FUNCTION parlance_tell_of_row('space_updated', 'id');

CREATE OR REPLACE TRIGGER tell_of_change
    AFTER UPDATE OF role ON space_members
    FOR EACH ROW WHEN (OLD.role <> NEW.role)
    EXECUTE FUNCTION parlance_tell_of_row('space_updated', 'space_id', 'user_id');

CREATE OR REPLACE TRIGGER tell_of_change
    AFTER UPDATE OF epoch ON log_epoch
    FOR EACH ROW WHEN (OLD.epoch <> NEW.epoch)
    EXECUTE FUNCTION parlance_tell_of_row('epoch', 'epoch');

DROP FUNCTION parlance_tell_of_space();
DROP FUNCTION parlance_tell_of_space_role();
DROP FUNCTION parlance_tell_of_epoch();
