-- Making a room or a space again with the client's own id for it is making the same one: the first body wins.

ALTER TABLE rooms ADD COLUMN client_id text;
CREATE UNIQUE INDEX rooms_client ON rooms (created_by, client_id) WHERE client_id IS NOT NULL;

ALTER TABLE spaces ADD COLUMN client_id text;
CREATE UNIQUE INDEX spaces_client ON spaces (created_by, client_id) WHERE client_id IS NOT NULL;
