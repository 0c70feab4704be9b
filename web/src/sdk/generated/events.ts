// Generated from asyncapi.json by `npm run generate`; edit the engine's types instead.
/* eslint-disable */

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Who made a change: a user's id, or of others type and id. */
        readonly Actor: components["schemas"]["UserId"] | components["schemas"]["Party"];
        /**
         * Format: uuid
         * @description An AI agent.
         */
        readonly AgentId: string;
        /** @description What each command that succeeds is answered with, by its kind */
        readonly Answers: {
            readonly "auth.renew": components["schemas"]["AuthRenewOk"];
            readonly hello: components["schemas"]["ReadyFrame"];
            readonly "message.delete": components["schemas"]["MessageDeleteOk"];
            readonly "message.edit": components["schemas"]["MessageEditOk"];
            readonly "message.post": components["schemas"]["MessagePostOk"];
            readonly ping: components["schemas"]["PongFrame"];
            readonly "receipt.mark": components["schemas"]["ReceiptMarkOk"];
            readonly "room.catch_up": components["schemas"]["RoomCatchUpOk"];
        };
        /** @description Another token of the same person, before the session's own has run out */
        readonly AuthRenewFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "auth.renew";
        } & components["schemas"]["Renew"];
        /** @description Answer to auth.renew */
        readonly AuthRenewOk: {
            readonly re?: number;
            /** @constant */
            readonly type: "ok";
        } & components["schemas"]["Renewed"];
        /** @description Command `room.catch_up`: everything in the room's order after `after`. */
        readonly CatchUp: {
            /** Format: int64 */
            readonly after: number;
            /** @description Events on this page at most. */
            readonly limit?: number | null;
            readonly room_id: components["schemas"]["RoomId"];
        };
        /** @description Answer to `room.catch_up`. */
        readonly CaughtUp: {
            /** @description The same frames that were or would have been sent live, in order. */
            readonly events: readonly Record<string, unknown>[];
            /** Format: int64 */
            readonly last_seq: number;
            /** @description Whether there is another page after the last of these. */
            readonly more: boolean;
        };
        readonly ClientFrame: components["schemas"]["HelloFrame"] | components["schemas"]["PingFrame"] | components["schemas"]["AuthRenewFrame"] | components["schemas"]["MessagePostFrame"] | components["schemas"]["RoomCatchUpFrame"] | components["schemas"]["ReceiptMarkFrame"] | components["schemas"]["MessageEditFrame"] | components["schemas"]["MessageDeleteFrame"];
        /** @description Commands by kind */
        readonly Commands: {
            readonly "auth.renew": components["schemas"]["AuthRenewFrame"];
            readonly hello: components["schemas"]["HelloFrame"];
            readonly "message.delete": components["schemas"]["MessageDeleteFrame"];
            readonly "message.edit": components["schemas"]["MessageEditFrame"];
            readonly "message.post": components["schemas"]["MessagePostFrame"];
            readonly ping: components["schemas"]["PingFrame"];
            readonly "receipt.mark": components["schemas"]["ReceiptMarkFrame"];
            readonly "room.catch_up": components["schemas"]["RoomCatchUpFrame"];
        };
        /**
         * Format: uuid
         * @description Somebody outside, who writes by way of a bridge.
         */
        readonly ContactId: string;
        /** @description Command `message.delete`: the message is not to be read any more. */
        readonly DeleteMessage: {
            /** @description As for an edit. */
            readonly client_id: string;
            readonly message_id: components["schemas"]["MessageId"];
            readonly room_id: components["schemas"]["RoomId"];
        };
        /** @description Command `message.edit`: the message says this from now on. */
        readonly EditMessage: {
            /** @description The author's own id for the edit, at most 64 bytes: sending it again returns the first result. */
            readonly client_id: string;
            readonly content: string;
            readonly message_id: components["schemas"]["MessageId"];
            /** @description Absent or empty: none. */
            readonly parts?: readonly Record<string, unknown>[] | null;
            readonly room_id: components["schemas"]["RoomId"];
        };
        /** @description An answer with nothing in it. */
        readonly Empty: Record<string, unknown>;
        /** @description Answer to a command that failed. */
        readonly ErrorAnswer: {
            /**
             * @description The same stable code as in HTTP problems.
             * @example chat.room_not_found
             */
            readonly code: string;
            readonly message: string;
            readonly retry: components["schemas"]["Retry"];
            /** Format: int64 */
            readonly retry_after_ms?: number | null;
        };
        /** @description Answer to a command that failed, and whether to try again */
        readonly ErrorFrame: {
            readonly re?: number;
            /** @constant */
            readonly type: "error";
        } & components["schemas"]["ErrorAnswer"];
        /** @description Someone's place in a room, inside events: a user by `user_id`, others as `party`. */
        readonly EventMember: {
            readonly party?: components["schemas"]["Party"] | null;
            readonly role: components["schemas"]["Role"];
            readonly user_id?: components["schemas"]["UserId"] | null;
        };
        /** @description What every durable event carries beside what its kind says: its place, whose it is, and when. */
        readonly EventPlace: {
            /** Format: date-time */
            readonly at: string;
            readonly by?: components["schemas"]["Actor"] | null;
            readonly room_id: components["schemas"]["RoomId"];
            /** Format: int64 */
            readonly seq: number;
        };
        /** @description Sent when the server had nothing else to say for `heartbeat_ms`. */
        readonly Heartbeat: {
            /** Format: date-time */
            readonly at: string;
        };
        /** @description Sent when there was nothing else to say */
        readonly HeartbeatFrame: {
            /** @constant */
            readonly type: "heartbeat";
        } & components["schemas"]["Heartbeat"];
        /** @description Command `hello`: the first frame of a connection. */
        readonly Hello: {
            readonly device?: components["schemas"]["HelloDevice"] | null;
            /** @description The `epoch` of the `ready` under which the client got what it has: if it is not ours, nothing is resumed. */
            readonly epoch?: string | null;
            /**
             * @description For each room the newest `seq` that the client has: what came after it follows `ready`. What cannot be honoured is
             *     named in `ready.resume_refused`.
             */
            readonly resume?: {
                readonly [key: string]: number;
            } | null;
            /** @description An access token. */
            readonly token: string;
        };
        /** @description The device that connects. */
        readonly HelloDevice: {
            /** @description The client's own, stable id of the device: at most 64 characters, as at the sign-in. */
            readonly id?: string | null;
            /**
             * @description What its owner would call it: one line of at most 100 characters.
             * @example Firefox on Linux
             */
            readonly name?: string | null;
        };
        /** @description The first frame, within 5 s: who connects, and what it has already; what was missed follows the answer */
        readonly HelloFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "hello";
        } & components["schemas"]["Hello"];
        /**
         * @description What became of an invitation.
         * @enum {string}
         */
        readonly InvitationState: "pending" | "accepted" | "declined" | "revoked";
        /**
         * @description Told to the devices of whoever is invited: there is an invitation, or one was answered, here or on another device, or
         *     revoked. Not part of any order: `GET /invitations` has what waits for an answer.
         */
        readonly InvitationUpdated: {
            /** Format: uuid */
            readonly id: string;
            readonly state: components["schemas"]["InvitationState"];
        };
        /** @description You were invited, or what became of that: GET /invitations has what waits for an answer */
        readonly InvitationUpdatedFrame: {
            /** @constant */
            readonly type: "invitation.updated";
        } & components["schemas"]["InvitationUpdated"];
        /** @description Command `receipt.mark`: received or read up to here. */
        readonly MarkReceipt: {
            /** Format: int64 */
            readonly delivered_seq?: number | null;
            /** Format: int64 */
            readonly read_seq?: number | null;
            readonly room_id: components["schemas"]["RoomId"];
        };
        /**
         * @description Event: someone was added, or joined; or a team, with its people. Of a team that is in the room already: more of its
         *     people came.
         */
        readonly MemberAdded: {
            readonly member: components["schemas"]["EventMember"];
            /** @description The people who came with a team, each in its role. */
            readonly people?: readonly components["schemas"]["UserId"][];
        };
        /** @description Someone was added or joined */
        readonly MemberAddedFrame: {
            /** @constant */
            readonly type: "member.added";
        } & components["schemas"]["EventPlace"] & components["schemas"]["MemberAdded"];
        /** @description Event: someone was removed, or left, by `user_id` or as `party`; or a team, with its people. */
        readonly MemberRemoved: {
            readonly party?: components["schemas"]["Party"] | null;
            /** @description The people who went with a team. */
            readonly people?: readonly components["schemas"]["UserId"][];
            /** @description The people who came with the team and stay, since another one of theirs is here. */
            readonly stay?: readonly components["schemas"]["StayingMember"][];
            readonly user_id?: components["schemas"]["UserId"] | null;
        };
        /** @description Someone was removed or left */
        readonly MemberRemovedFrame: {
            /** @constant */
            readonly type: "member.removed";
        } & components["schemas"]["EventPlace"] & components["schemas"]["MemberRemoved"];
        /** @description Event: a member, by `user_id` or as `party`, has another role now; of a team, its people as well. */
        readonly MemberRoleChanged: {
            readonly party?: components["schemas"]["Party"] | null;
            /** @description The people who are here with a team. */
            readonly people?: readonly components["schemas"]["UserId"][];
            readonly role: components["schemas"]["Role"];
            readonly user_id?: components["schemas"]["UserId"] | null;
            readonly via_team_id?: components["schemas"]["TeamId"] | null;
        };
        /** @description A member has another role */
        readonly MemberRoleChangedFrame: {
            /** @constant */
            readonly type: "member.role_changed";
        } & components["schemas"]["EventPlace"] & components["schemas"]["MemberRoleChanged"];
        /** @description A message as everyone sees it. */
        readonly Message: {
            /** @description The sender's own id for it. */
            readonly client_id?: string | null;
            readonly content: string;
            /** Format: date-time */
            readonly created_at: string;
            /**
             * Format: date-time
             * @description It has been deleted, and has no content any more.
             */
            readonly deleted_at?: string | null;
            /**
             * Format: date-time
             * @description It has been changed since; what is here is its present form.
             */
            readonly edited_at?: string | null;
            readonly id: components["schemas"]["MessageId"];
            /** @example text */
            readonly kind: string;
            /** @description Structured content, an array. */
            readonly parts?: readonly Record<string, unknown>[] | null;
            readonly reply_to?: components["schemas"]["MessageId"] | null;
            readonly room_id: components["schemas"]["RoomId"];
            readonly sender: components["schemas"]["Sender"];
            /**
             * Format: int64
             * @description Its place in the room's one order.
             */
            readonly seq: number;
        };
        /** @description Answer to `message.edit` and `message.delete`. */
        readonly MessageChanged: {
            /**
             * Format: int64
             * @description The place of the event that tells it; absent when the message was so already.
             */
            readonly seq?: number | null;
        };
        /** @description Event: a message was deleted: by its author, or by whoever rules the room. Its place stays. */
        readonly MessageDeleted: {
            readonly message_id: components["schemas"]["MessageId"];
        };
        /** @description A message was deleted; its place stays */
        readonly MessageDeletedFrame: {
            /** @constant */
            readonly type: "message.deleted";
        } & components["schemas"]["EventPlace"] & components["schemas"]["MessageDeleted"];
        /** @description A message is not to be read any more: one's own, or as a moderator */
        readonly MessageDeleteFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "message.delete";
        } & components["schemas"]["DeleteMessage"];
        /** @description Answer to message.delete */
        readonly MessageDeleteOk: {
            readonly re?: number;
            /** @constant */
            readonly type: "ok";
        } & components["schemas"]["MessageChanged"];
        /**
         * @description Event: a message says something else now. History and catch-up tell it in its present form at its own place; an edit
         *     that another one or a deletion has followed is told with `message_id` alone.
         */
        readonly MessageEdited: {
            readonly content?: string;
            /** Format: date-time */
            readonly edited_at?: string;
            readonly message_id: components["schemas"]["MessageId"];
            /** @description Absent: none any more. */
            readonly parts?: readonly Record<string, unknown>[] | null;
        };
        /** @description A message says something else */
        readonly MessageEditedFrame: {
            /** @constant */
            readonly type: "message.edited";
        } & components["schemas"]["EventPlace"] & components["schemas"]["MessageEdited"];
        /** @description A message of one's own says something else; of any age */
        readonly MessageEditFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "message.edit";
        } & components["schemas"]["EditMessage"];
        /** @description Answer to message.edit */
        readonly MessageEditOk: {
            readonly re?: number;
            /** @constant */
            readonly type: "ok";
        } & components["schemas"]["MessageChanged"];
        /**
         * Format: uuid
         * @description A message; unique across rooms, while its place in the room is `(room_id, seq)`.
         */
        readonly MessageId: string;
        /** @description Event: a message was posted. */
        readonly MessagePosted: {
            readonly message: components["schemas"]["Message"];
            readonly room_id: components["schemas"]["RoomId"];
            /** Format: int64 */
            readonly seq: number;
        };
        /** @description A message was posted */
        readonly MessagePostedFrame: {
            /** @constant */
            readonly type: "message.posted";
        } & components["schemas"]["MessagePosted"];
        /** @description Post a message; the ok carries its place. Sent again, it answers with the first one */
        readonly MessagePostFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "message.post";
        } & components["schemas"]["PostMessage"];
        /** @description Answer to message.post */
        readonly MessagePostOk: {
            readonly re?: number;
            /** @constant */
            readonly type: "ok";
        } & components["schemas"]["Posted"];
        /** @description Answer to a command that succeeded: which one, its re says */
        readonly OkFrame: components["schemas"]["AuthRenewOk"] | components["schemas"]["MessagePostOk"] | components["schemas"]["RoomCatchUpOk"] | components["schemas"]["ReceiptMarkOk"] | components["schemas"]["MessageEditOk"] | components["schemas"]["MessageDeleteOk"];
        /** @description A person as that person sees it. */
        readonly OwnUser: {
            readonly avatar_url?: string | null;
            /** Format: date-time */
            readonly created_at: string;
            /**
             * @description Absent for a user of an outside issuer.
             * @example ada@example.com
             */
            readonly email?: string | null;
            /** @example Ada Lovelace */
            readonly full_name?: string | null;
            /** Format: uuid */
            readonly id: string;
            /**
             * @description In E.164 form.
             * @example +4930123456
             */
            readonly phone?: string | null;
            /** @description The client's own settings: any JSON object. */
            readonly preferences: Record<string, unknown>;
            readonly role: components["schemas"]["UserRole"];
            readonly status_message?: string | null;
            /** @example ada */
            readonly username: string;
        };
        /** @description See the module. On the wire `{"type":"user","id":"…"}`; in a path or query `user:ID`, or a user's id alone. */
        readonly Party: {
            readonly id: components["schemas"]["UserId"];
            /** @enum {string} */
            readonly type: "user";
        } | {
            readonly id: components["schemas"]["AgentId"];
            /** @enum {string} */
            readonly type: "agent";
        } | {
            readonly id: components["schemas"]["TeamId"];
            /** @enum {string} */
            readonly type: "team";
        } | {
            readonly id: components["schemas"]["ContactId"];
            /** @enum {string} */
            readonly type: "contact";
        };
        /** @description Command `ping`: are you there? */
        readonly Ping: Record<string, unknown>;
        /** @description Are you there? */
        readonly PingFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "ping";
        } & components["schemas"]["Ping"];
        /** @description Answer to `ping`. */
        readonly Pong: Record<string, unknown>;
        /** @description Answer to ping */
        readonly PongFrame: {
            readonly re?: number;
            /** @constant */
            readonly type: "pong";
        } & components["schemas"]["Pong"];
        /** @description Answer to `message.post`. */
        readonly Posted: {
            /** Format: date-time */
            readonly created_at: string;
            readonly message_id: components["schemas"]["MessageId"];
            readonly room_id: components["schemas"]["RoomId"];
            /** Format: int64 */
            readonly seq: number;
        };
        /** @description Command `message.post`: the body of the HTTP call with its room. Written out, because flattening would parse twice. */
        readonly PostMessage: {
            readonly client_id: string;
            readonly content?: string;
            readonly kind?: string | null;
            readonly parts?: readonly Record<string, unknown>[] | null;
            readonly reply_to?: components["schemas"]["MessageId"] | null;
            readonly room_id: components["schemas"]["RoomId"];
        };
        /** @description What everybody who is signed in may know about a person. */
        readonly PublicUser: {
            readonly avatar_url?: string | null;
            /** Format: date-time */
            readonly created_at: string;
            /** @example Ada Lovelace */
            readonly full_name?: string | null;
            /** Format: uuid */
            readonly id: string;
            /** @example ada */
            readonly username: string;
        };
        /** @description Answer to `hello`. */
        readonly Ready: {
            /**
             * Format: uuid
             * @description Which life of the log this is. It changes when a backup was restored: a client that kept another one drops what it
             *     has, but for what it has not sent, and reads anew.
             */
            readonly epoch: string;
            /**
             * Format: date-time
             * @description When the token expires. The session ends with 4500 a minute later, unless `auth.renew` came.
             */
            readonly expires_at: string;
            /**
             * Format: int64
             * @description The server speaks at least this often; a client silent for twice as long is closed.
             */
            readonly heartbeat_ms: number;
            /** @description What of `resume` is not resumed, and why: read those rooms anew. */
            readonly resume_refused?: readonly components["schemas"]["ResumeRefused"][];
            /** @description The user's rooms, those with the newest activity (`last_message_at`, else `created_at`) first. */
            readonly rooms: readonly components["schemas"]["RoomSummary"][];
            /** @description There are more rooms than these: the rest comes from `GET /rooms`. Their events arrive all the same. */
            readonly rooms_truncated?: boolean;
            readonly session_id: components["schemas"]["SessionId"];
            readonly user: components["schemas"]["OwnUser"];
        };
        /** @description Answer to hello */
        readonly ReadyFrame: {
            readonly re?: number;
            /** @constant */
            readonly type: "ready";
        } & components["schemas"]["Ready"];
        /** @description Received or read up to here */
        readonly ReceiptMarkFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "receipt.mark";
        } & components["schemas"]["MarkReceipt"];
        /** @description Answer to receipt.mark */
        readonly ReceiptMarkOk: {
            readonly re?: number;
            /** @constant */
            readonly type: "ok";
        } & components["schemas"]["Empty"];
        /**
         * @description How far a member, by `user_id` or as `party`, has received and read; `read_seq` never exceeds `delivered_seq`, both only
         *     grow.
         */
        readonly ReceiptUpdated: {
            /** Format: int64 */
            readonly delivered_seq: number;
            readonly party?: components["schemas"]["Party"] | null;
            /** Format: int64 */
            readonly read_seq: number;
            readonly room_id: components["schemas"]["RoomId"];
            readonly user_id?: components["schemas"]["UserId"] | null;
        };
        /** @description How far a member has received and read */
        readonly ReceiptUpdatedFrame: {
            /** @constant */
            readonly type: "receipt.updated";
        } & components["schemas"]["ReceiptUpdated"];
        /**
         * @description Why a room is not resumed.
         * @enum {string}
         */
        readonly RefusedBecause: "epoch" | "ahead" | "not_a_member" | "too_many" | "malformed";
        /** @description Command `auth.renew`: the session goes on with another token of the same person, of whichever sign-in. */
        readonly Renew: {
            /** @description An access token. */
            readonly token: string;
        };
        /** @description Answer to `auth.renew`. */
        readonly Renewed: {
            /**
             * Format: date-time
             * @description When that token expires.
             */
            readonly expires_at: string;
        };
        /** @description A room of `resume` that is not resumed: read it anew. */
        readonly ResumeRefused: {
            readonly reason: components["schemas"]["RefusedBecause"];
            /** @description The key as it was sent, at most 64 characters of it. */
            readonly room_id: string;
        };
        /**
         * @description Whether the same request can succeed later.
         * @enum {string}
         */
        readonly Retry: "never" | "now" | "later";
        /**
         * @description What a member is in a room or space, from least to most.
         * @enum {string}
         */
        readonly Role: "guest" | "member" | "admin" | "owner";
        /** @description Everything in the room's order after a seq */
        readonly RoomCatchUpFrame: {
            readonly id?: number;
            /** @constant */
            readonly type: "room.catch_up";
        } & components["schemas"]["CatchUp"];
        /** @description Answer to room.catch_up */
        readonly RoomCatchUpOk: {
            readonly re?: number;
            /** @constant */
            readonly type: "ok";
        } & components["schemas"]["CaughtUp"];
        /**
         * Format: uuid
         * @description A conversation of any kind.
         */
        readonly RoomId: string;
        /** @description Told to a user's devices: you are in this room now; follow it from `room.last_seq`. Not part of the room's order. */
        readonly RoomJoined: {
            readonly room: components["schemas"]["RoomSummary"];
        };
        /** @description You are in this room now: follow it from last_seq */
        readonly RoomJoinedFrame: {
            /** @constant */
            readonly type: "room.joined";
        } & components["schemas"]["RoomJoined"];
        /**
         * @description What a room is; what differs is who its members are.
         * @enum {string}
         */
        readonly RoomKind: "direct" | "group" | "channel";
        /**
         * @description The engine shed what waited for this socket: catch up from the last `seq` you have. `chat.room_not_found` says that you
         *     have left meanwhile.
         */
        readonly RoomLagged: {
            /**
             * Format: int64
             * @description What is missing may reach up to this `seq`; live events go on after it. Of a room that the user has left, it may be
             *     past the newest event: asking for what is missing says so.
             */
            readonly last_seq: number;
            readonly room_id: components["schemas"]["RoomId"];
        };
        /** @description Your backlog was shed, or you left while you were behind: catch up from the last seq you have */
        readonly RoomLaggedFrame: {
            /** @constant */
            readonly type: "room.lagged";
        } & components["schemas"]["RoomLagged"];
        /** @description A room as one member sees it. */
        readonly RoomSummary: {
            /** Format: date-time */
            readonly created_at: string;
            /** Format: int64 */
            readonly delivered_seq: number;
            readonly id: components["schemas"]["RoomId"];
            readonly kind: components["schemas"]["RoomKind"];
            /**
             * Format: date-time
             * @description When the newest durable event happened.
             */
            readonly last_message_at?: string | null;
            /** Format: int64 */
            readonly last_seq: number;
            /** Format: int64 */
            readonly member_count: number;
            readonly name?: string | null;
            readonly peer?: components["schemas"]["PublicUser"] | null;
            /** Format: int64 */
            readonly read_seq: number;
            readonly role?: components["schemas"]["Role"] | null;
            readonly space_id?: components["schemas"]["SpaceId"] | null;
            readonly topic?: string | null;
            /**
             * Format: int64
             * @description Messages of others after `read_seq`, counted up to 100.
             */
            readonly unread: number;
        };
        /** @description Event: the room has another name or topic now; both are given as they are now. */
        readonly RoomUpdated: {
            readonly name?: string | null;
            readonly topic?: string | null;
        };
        /** @description The room has another name or topic */
        readonly RoomUpdatedFrame: {
            /** @constant */
            readonly type: "room.updated";
        } & components["schemas"]["EventPlace"] & components["schemas"]["RoomUpdated"];
        /** @description Who sent a message. */
        readonly Sender: {
            /**
             * Format: uuid
             * @description Absent where the type is `system`.
             */
            readonly id?: string | null;
            readonly type: components["schemas"]["SenderKind"];
        };
        /**
         * @description What kind of sender.
         * @enum {string}
         */
        readonly SenderKind: "user" | "agent" | "contact" | "system";
        readonly ServerFrame: components["schemas"]["ReadyFrame"] | components["schemas"]["PongFrame"] | components["schemas"]["OkFrame"] | components["schemas"]["ErrorFrame"] | components["schemas"]["HeartbeatFrame"] | components["schemas"]["MessagePostedFrame"] | components["schemas"]["MemberAddedFrame"] | components["schemas"]["MemberRemovedFrame"] | components["schemas"]["MemberRoleChangedFrame"] | components["schemas"]["RoomUpdatedFrame"] | components["schemas"]["RoomJoinedFrame"] | components["schemas"]["RoomLaggedFrame"] | components["schemas"]["InvitationUpdatedFrame"] | components["schemas"]["SpaceJoinedFrame"] | components["schemas"]["SpaceUpdatedFrame"] | components["schemas"]["SpaceLeftFrame"] | components["schemas"]["ReceiptUpdatedFrame"] | components["schemas"]["MessageEditedFrame"] | components["schemas"]["MessageDeletedFrame"];
        /**
         * Format: uuid
         * @description One connected device, for as long as its socket lives.
         */
        readonly SessionId: string;
        /** @description A container of channels, as one of its members sees it. */
        readonly Space: {
            /** Format: date-time */
            readonly created_at: string;
            readonly id: components["schemas"]["SpaceId"];
            /** Format: int64 */
            readonly member_count: number;
            readonly name: string;
            /** @description The caller's role. */
            readonly role: components["schemas"]["Role"];
            readonly topic?: string | null;
        };
        /**
         * Format: uuid
         * @description A container of channels.
         */
        readonly SpaceId: string;
        /** @description Told to a user's devices: they are in this space now. Told once more, it says the same. */
        readonly SpaceJoined: {
            readonly space: components["schemas"]["Space"];
        };
        /** @description You are in this space now. Frames of spaces are not kept: ask GET /spaces after each ready */
        readonly SpaceJoinedFrame: {
            /** @constant */
            readonly type: "space.joined";
        } & components["schemas"]["SpaceJoined"];
        /** @description Told to a user's devices: they are not in this space any more, nor in its channels. */
        readonly SpaceLeft: {
            readonly reason: components["schemas"]["SpaceLeftBecause"];
            readonly space_id: components["schemas"]["SpaceId"];
        };
        /**
         * @description Why somebody is not in a space any more.
         * @enum {string}
         */
        readonly SpaceLeftBecause: "left" | "removed" | "deleted";
        /** @description You are in this space no more: you left, were removed, or it is gone. Not kept */
        readonly SpaceLeftFrame: {
            /** @constant */
            readonly type: "space.left";
        } & components["schemas"]["SpaceLeft"];
        /**
         * @description Told to the devices of a space's members: it has another name or topic, or its member another role. Who else comes and
         *     goes is not told: `member_count` is as of this frame.
         */
        readonly SpaceUpdated: {
            readonly space: components["schemas"]["Space"];
        };
        /** @description A space of yours has another name or topic, or you another role in it. Not kept */
        readonly SpaceUpdatedFrame: {
            /** @constant */
            readonly type: "space.updated";
        } & components["schemas"]["SpaceUpdated"];
        /** @description Somebody who is here with another team from now on, and what they are with that. */
        readonly StayingMember: {
            readonly role: components["schemas"]["Role"];
            readonly user_id: components["schemas"]["UserId"];
            readonly via_team_id: components["schemas"]["TeamId"];
        };
        /**
         * Format: uuid
         * @description People who come into rooms together.
         */
        readonly TeamId: string;
        /**
         * Format: uuid
         * @description A person with an account.
         */
        readonly UserId: string;
        /**
         * @description What somebody may do on the whole server; what they may do in a room is a matter of the room.
         * @enum {string}
         */
        readonly UserRole: "user" | "admin";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
