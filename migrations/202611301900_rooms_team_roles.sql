-- Somebody who is in a room with a team is in it as what the team is: also who stayed when another team of theirs left.
UPDATE room_members AS own SET role = team.role
FROM room_members AS team
WHERE team.room_id = own.room_id AND team.team_id = own.via_team_id AND team.role <> own.role;
