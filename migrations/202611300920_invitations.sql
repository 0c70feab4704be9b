-- With chat.strangers = "invite", whoever shares no room or space with somebody asks them in, and they accept or decline.

CREATE TABLE invitations (
    id          uuid PRIMARY KEY,
    room_id     uuid REFERENCES rooms ON DELETE CASCADE,
    space_id    uuid REFERENCES spaces ON DELETE CASCADE,
    -- What they are invited to, as it was then: whoever is invited may not look at it yet.
    kind        text NOT NULL CHECK (kind IN ('direct', 'group', 'channel', 'space')),
    name        text,
    inviter_id  uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role        text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'guest')),
    state       text NOT NULL CHECK (state IN ('pending', 'accepted', 'declined')),
    created_at  timestamptz NOT NULL,
    answered_at timestamptz,
    CHECK (num_nonnulls(room_id, space_id) = 1),
    CHECK ((state = 'pending') = (answered_at IS NULL))
);
-- One question at a time.
CREATE UNIQUE INDEX invitations_room ON invitations (room_id, user_id) WHERE state = 'pending';
CREATE UNIQUE INDEX invitations_space ON invitations (space_id, user_id) WHERE state = 'pending';
-- For the end of a room or space, and for those that are too old to count.
CREATE INDEX invitations_of_room ON invitations (room_id) WHERE room_id IS NOT NULL;
CREATE INDEX invitations_of_space ON invitations (space_id) WHERE space_id IS NOT NULL;
CREATE INDEX invitations_age ON invitations (COALESCE(answered_at, created_at));
CREATE INDEX invitations_user ON invitations (user_id, id);
CREATE INDEX invitations_inviter ON invitations (inviter_id, user_id);

ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
CREATE POLICY invitations_to_me ON invitations FOR SELECT
    USING (user_id = parlance_user_id());
SELECT parlance_grant('SELECT ON invitations');

-- 'invitation USER ID STATE': so that the devices of whoever is invited hear of it. One that is gone was revoked.
CREATE FUNCTION parlance_tell_of_invitation() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM pg_notify('parlance_changes', concat_ws(' ', 'invitation', NEW.user_id, NEW.id, NEW.state));
    ELSIF OLD.state = 'pending' THEN
        PERFORM pg_notify('parlance_changes', concat_ws(' ', 'invitation', OLD.user_id, OLD.id, 'revoked'));
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER tell_of_change
    AFTER INSERT OR UPDATE OF state OR DELETE ON invitations
    FOR EACH ROW EXECUTE FUNCTION parlance_tell_of_invitation();

-- Whoever comes into a place has accepted it, by whatever way they came; and whoever leaves one invites nobody there any
-- more.
CREATE FUNCTION parlance_accept_room() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    UPDATE invitations SET state = 'accepted', answered_at = changed.joined_at
    FROM changed
    WHERE invitations.room_id = changed.room_id AND invitations.user_id = changed.user_id
      AND invitations.state = 'pending';
    RETURN NULL;
END
$$;

CREATE FUNCTION parlance_accept_space() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    UPDATE invitations SET state = 'accepted', answered_at = changed.joined_at
    FROM changed
    WHERE invitations.space_id = changed.space_id AND invitations.user_id = changed.user_id
      AND invitations.state = 'pending';
    RETURN NULL;
END
$$;

CREATE FUNCTION parlance_revoke_from_room() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    DELETE FROM invitations USING changed
    WHERE invitations.room_id = changed.room_id AND invitations.inviter_id = changed.user_id
      AND invitations.state = 'pending';
    RETURN NULL;
END
$$;

CREATE FUNCTION parlance_revoke_from_space() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
BEGIN
    DELETE FROM invitations USING changed
    WHERE invitations.space_id = changed.space_id AND invitations.inviter_id = changed.user_id
      AND invitations.state = 'pending';
    RETURN NULL;
END
$$;

CREATE TRIGGER accept_invitations
    AFTER INSERT ON room_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_accept_room();

CREATE TRIGGER accept_invitations
    AFTER INSERT ON space_members
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_accept_space();

CREATE TRIGGER revoke_invitations
    AFTER DELETE ON room_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_revoke_from_room();

CREATE TRIGGER revoke_invitations
    AFTER DELETE ON space_members
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION parlance_revoke_from_space();
