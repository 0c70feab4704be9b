-- Jobs that triggers enqueue come in by one way, which knows what a job is; the function that made their ids here is used by
-- nobody any more.
CREATE OR REPLACE FUNCTION parlance_follow_teams(rooms uuid[]) RETURNS void
    LANGUAGE sql SET search_path FROM CURRENT
    AS $$
        SELECT parlance_enqueue_job('team.follow', room::text, concat(room, ':', pg_current_xact_id()),
            json_build_object('room_id', room, 'by', NULLIF(current_setting('parlance.by', true), '')))
        FROM (SELECT DISTINCT unnest(rooms) AS room ORDER BY room) AS following
    $$;
DROP FUNCTION parlance_new_id();
