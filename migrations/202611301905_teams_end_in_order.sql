-- A team is being deleted. Its rooms take it out first, in their order, also when its row was deleted by another hand: such a
-- DELETE begins the end and leaves the row, which goes when no room has the team, or anybody who came with it, any more.
CREATE OR REPLACE FUNCTION parlance_end_team() RETURNS trigger
    LANGUAGE plpgsql SET search_path FROM CURRENT
    AS $$
DECLARE
    here CONSTANT uuid[] := ARRAY(SELECT room_id FROM room_members WHERE team_id = OLD.id
                                  UNION SELECT room_id FROM room_members WHERE via_team_id = OLD.id);
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF here = '{}' THEN
            RETURN OLD;
        END IF;
        IF OLD.deleted_at IS NULL THEN
            UPDATE teams SET deleted_at = now() WHERE id = OLD.id;
        ELSE
            PERFORM parlance_follow_teams(here);
        END IF;
        RETURN NULL;
    END IF;
    PERFORM parlance_follow_teams(here);
    IF here = '{}' THEN
        DELETE FROM teams WHERE id = OLD.id;
    END IF;
    RETURN NULL;
END
$$;
