-- Pages of members and of teams, which are read under row level security, read no more than they show.

-- Postgres counts COALESCE among what might leak, so that under a policy it compares the party of a member with the cursor only
-- after the policy has let the row pass: a page of a large room read all members before it. This applies the policy's rule by
-- itself, and so uses the index that there is. The pages before the cursor are not read.
CREATE FUNCTION parlance_members_page(room uuid, after uuid, rows_max bigint) RETURNS SETOF room_members
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT ROWS 100
    AS $$
        SELECT m.* FROM room_members AS m
        WHERE m.room_id = room AND room IN (SELECT parlance_readable_rooms())
          AND COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id) > after
        ORDER BY COALESCE(m.user_id, m.agent_id, m.team_id, m.contact_id) LIMIT rows_max
    $$;

-- Somebody's teams in the order of their ids.
CREATE INDEX team_members_user_team ON team_members (user_id, team_id);
DROP INDEX team_members_user;

-- Whether a team is in a room of the reader. Asked a row at a time, unlike parlance_readable_rooms(): reads name the teams that
-- they want, while a set of all teams in the reader's rooms costs as much as there are teams in rooms, whoever's. The price
-- tells the planner to look up what is cheaper first.
CREATE FUNCTION parlance_meets_team(team uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT COST 1000
    AS $$
        SELECT EXISTS (
            SELECT FROM room_members AS there
            JOIN room_members AS own ON own.room_id = there.room_id AND own.user_id = parlance_user_id()
            WHERE there.team_id = team)
    $$;
ALTER POLICY teams_of_mine ON teams USING (id IN (SELECT parlance_my_teams()) OR parlance_meets_team(id));
