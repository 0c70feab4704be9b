-- Every room where a team is a member follows what becomes of the team: whoever changes it, by whatever means, and in the
-- same transaction. A job a room (team.follow) compares the two and has the room make the changes, in its order.

ALTER TABLE teams
    -- Being taken out of its rooms; then the row is deleted.
    ADD COLUMN deleted_at timestamptz;
CREATE INDEX teams_deleted ON teams (deleted_at) WHERE deleted_at IS NOT NULL;
-- How many somebody owns.
CREATE INDEX team_members_owner ON team_members (user_id) WHERE role = 'owner';

-- parlance.by: who changes the team; none: another hand. One job a room and transaction: no transaction waits for another
-- one's job.
CREATE FUNCTION parlance_follow_teams(rooms uuid[]) RETURNS void
    LANGUAGE sql SET search_path FROM CURRENT
    AS $$
        SELECT parlance_enqueue_job('team.follow', room::text, concat(room, ':', pg_current_xact_id()),
            json_build_object('room_id', room, 'by', NULLIF(current_setting('parlance.by', true), '')))
        FROM (SELECT DISTINCT unnest(rooms) AS room ORDER BY room) AS following
    $$;

-- Somebody came into a team or left it. A team whose last owner is gone is inherited by whoever has been in it for longest;
-- one without people is deleted.
CREATE FUNCTION parlance_change_team_members() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        -- Owners who leave or are deleted at the same time wait for each other.
        PERFORM FROM teams WHERE id IN (SELECT team_id FROM changed) ORDER BY id FOR NO KEY UPDATE;
        UPDATE team_members SET role = 'owner'
        FROM (
            SELECT DISTINCT ON (own.team_id) own.team_id, own.user_id FROM team_members AS own
            WHERE own.team_id IN (SELECT team_id FROM changed)
              AND NOT EXISTS (SELECT FROM team_members AS other WHERE other.team_id = own.team_id AND other.role = 'owner')
            ORDER BY own.team_id, own.joined_at, own.user_id
        ) AS heir
        WHERE team_members.team_id = heir.team_id AND team_members.user_id = heir.user_id;
        UPDATE teams SET deleted_at = now()
        WHERE id IN (SELECT team_id FROM changed) AND deleted_at IS NULL
          AND NOT EXISTS (SELECT FROM team_members WHERE team_id = teams.id);
    END IF;
    PERFORM parlance_follow_teams(ARRAY(SELECT room_id FROM room_members WHERE team_id IN (SELECT team_id FROM changed)));
    RETURN NULL;
END
$$;

CREATE TRIGGER follow_joining
    AFTER INSERT ON team_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_change_team_members();

CREATE TRIGGER follow_leaving
    AFTER DELETE ON team_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_change_team_members();

-- A team is being deleted, or is at once: then its foreign keys take it out of its rooms, and who is in them with another
-- team as well comes back with that.
CREATE FUNCTION parlance_end_team() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    PERFORM parlance_follow_teams(ARRAY(SELECT room_id FROM room_members WHERE team_id = OLD.id));
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    -- In no room: there is nothing to wait for.
    DELETE FROM teams WHERE id = OLD.id AND NOT EXISTS (SELECT FROM room_members WHERE team_id = OLD.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER end_team
    AFTER UPDATE OF deleted_at ON teams
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION parlance_end_team();

CREATE TRIGGER end_team_at_once
    BEFORE DELETE ON teams
    FOR EACH ROW EXECUTE FUNCTION parlance_end_team();

-- A team came into a room, or left it. Its people may have changed since the room was asked: it looks once more.
CREATE FUNCTION parlance_follow_team_in_room() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    IF EXISTS (SELECT FROM changed WHERE team_id IS NOT NULL) THEN
        PERFORM parlance_follow_teams(ARRAY(
            SELECT room_id FROM changed JOIN rooms ON rooms.id = changed.room_id WHERE team_id IS NOT NULL));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER follow_joining
    AFTER INSERT ON room_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_follow_team_in_room();

CREATE TRIGGER follow_leaving
    AFTER DELETE ON room_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_follow_team_in_room();

-- Whoever comes into a space comes into the channels where a team of theirs is.
CREATE FUNCTION parlance_follow_into_channels() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    PERFORM parlance_follow_teams(ARRAY(
        SELECT there.room_id FROM changed
        JOIN team_members AS own ON own.user_id = changed.user_id
        JOIN room_members AS there ON there.team_id = own.team_id
        JOIN rooms ON rooms.id = there.room_id AND rooms.space_id = changed.space_id));
    RETURN NULL;
END
$$;

CREATE TRIGGER follow_joining
    AFTER INSERT ON space_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_follow_into_channels();
