-- Parties: members, senders and actors of every kind, and teams, whose people are in a room together.

CREATE TABLE teams (
    id          uuid PRIMARY KEY,
    -- The maker's own id for it: making it again finds the first.
    client_id   text,
    name        text NOT NULL CHECK (name <> ''),
    description text,
    created_by  uuid REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX teams_client ON teams (created_by, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE team_members (
    team_id     uuid NOT NULL REFERENCES teams ON DELETE CASCADE,
    user_id     uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    role        text NOT NULL CHECK (role IN ('owner', 'member')),
    joined_at   timestamptz NOT NULL,
    PRIMARY KEY (team_id, user_id)
);
CREATE INDEX team_members_user ON team_members (user_id);

-- A team that is a member of a room has one row for itself and one for each of its people who was not there already, so
-- that who may read is a question of one table. Whoever came with a team goes with it.
ALTER TABLE room_members
    ADD COLUMN via_team_id uuid REFERENCES teams ON DELETE CASCADE,
    ADD CONSTRAINT room_members_team_fk FOREIGN KEY (team_id) REFERENCES teams ON DELETE CASCADE,
    ADD CHECK (via_team_id IS NULL OR user_id IS NOT NULL);
CREATE INDEX room_members_via_team ON room_members (via_team_id, room_id) WHERE via_team_id IS NOT NULL;
-- One row a party, whatever it is.
ALTER TABLE room_members DROP CONSTRAINT room_members_room_id_user_id_key;
CREATE UNIQUE INDEX room_members_party
    ON room_members (room_id, (COALESCE(user_id, agent_id, team_id, contact_id)));

-- Which of the four a party is; NULL: none.
CREATE FUNCTION parlance_party_kind(user_id uuid, agent_id uuid, team_id uuid, contact_id uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN user_id IS NOT NULL THEN 'user' WHEN agent_id IS NOT NULL THEN 'agent'
                      WHEN team_id IS NOT NULL THEN 'team' WHEN contact_id IS NOT NULL THEN 'contact' END $$;

-- A message of the engine's own has no sender.
ALTER TABLE messages DROP CONSTRAINT messages_check;
ALTER TABLE messages ADD CONSTRAINT messages_one_sender CHECK (
    num_nonnulls(sender_user_id, sender_agent_id, sender_contact_id) = CASE kind WHEN 'system' THEN 0 ELSE 1 END);
-- One send, one message, whoever sends.
DROP INDEX messages_client;
CREATE UNIQUE INDEX messages_client ON messages
    (room_id, (COALESCE(sender_user_id, sender_agent_id, sender_contact_id, '00000000-0000-0000-0000-000000000000')), client_id)
    WHERE client_id IS NOT NULL;

-- Who acted; neither: the engine itself.
ALTER TABLE room_events ADD COLUMN actor_kind text CHECK (actor_kind IN ('user', 'agent', 'team', 'contact'));
UPDATE room_events SET actor_kind = 'user' WHERE actor_id IS NOT NULL;
ALTER TABLE room_events ADD CHECK ((actor_kind IS NULL) = (actor_id IS NULL));
DROP INDEX room_events_client;
CREATE UNIQUE INDEX room_events_client ON room_events
    (room_id, (COALESCE(actor_id, '00000000-0000-0000-0000-000000000000')), client_id) WHERE client_id IS NOT NULL;

-- A team is no one more in a room: its people are.
CREATE OR REPLACE FUNCTION parlance_count_members() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
DECLARE
    direction CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    UPDATE rooms SET member_count = member_count + direction * moved.members
    FROM (SELECT room_id, count(*) AS members FROM changed WHERE team_id IS NULL GROUP BY room_id) AS moved
    WHERE rooms.id = moved.room_id;
    RETURN NULL;
END
$$;

-- 'joined ROOM PARTY,PARTY,…' and 'left ROOM PARTY,PARTY,…': a user's id alone, others as KIND:ID; as many as fit the
-- 8000 bytes of a notification.
CREATE OR REPLACE FUNCTION parlance_tell_of_members() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('parlance_changes',
        concat_ws(' ', CASE TG_OP WHEN 'INSERT' THEN 'joined' ELSE 'left' END, part.room_id, part.parties))
    FROM (
        SELECT numbered.room_id, string_agg(numbered.party, ',') AS parties
        FROM (
            SELECT room_id,
                   COALESCE(user_id::text, 'agent:' || agent_id, 'team:' || team_id, 'contact:' || contact_id) AS party,
                   (row_number() OVER (PARTITION BY room_id) - 1) / 150 AS part
            FROM changed
        ) AS numbered
        GROUP BY numbered.room_id, numbered.part
    ) AS part;
    RETURN NULL;
END
$$;

-- The people of a team know each other, and those of a room see the teams in it.
CREATE FUNCTION parlance_my_teams() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
    AS $$ SELECT team_id FROM team_members WHERE user_id = parlance_user_id() $$;

ALTER TABLE teams ENABLE ROW LEVEL SECURITY;
ALTER TABLE team_members ENABLE ROW LEVEL SECURITY;
CREATE POLICY teams_of_mine ON teams FOR SELECT
    USING (id IN (SELECT parlance_my_teams())
        OR id IN (SELECT team_id FROM room_members
                  WHERE team_id IS NOT NULL AND room_id IN (SELECT parlance_my_rooms())));
CREATE POLICY people_of_my_teams ON team_members FOR SELECT
    USING (team_id IN (SELECT parlance_my_teams()));
SELECT parlance_grant('SELECT ON teams, team_members');
