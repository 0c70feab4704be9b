// Generated from asyncapi.json by `npm run generate`; edit the engine's types instead.
/* eslint-disable */

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        readonly ClientFrame: components["schemas"]["Hello"] | components["schemas"]["MessagePost"] | components["schemas"]["ReceiptMark"] | components["schemas"]["RoomCatchUp"] | components["schemas"]["Ping"];
        readonly Error: {
            readonly code: string;
            readonly message: string;
            /** Format: int64 */
            readonly re?: number;
            /** @enum {string} */
            readonly retry: "never" | "now" | "later";
            /** Format: int64 */
            readonly retry_after_ms?: number;
            /** @constant */
            readonly type: "error";
        };
        readonly Heartbeat: {
            /** Format: date-time */
            readonly at: string;
            /** @constant */
            readonly type: "heartbeat";
        };
        readonly Hello: {
            readonly device?: {
                readonly id: string;
                readonly name: string;
            };
            /** Format: int64 */
            readonly id: number;
            readonly resume?: {
                readonly [key: string]: number;
            };
            readonly token: string;
            /** @constant */
            readonly type: "hello";
        };
        readonly MemberAdded: {
            /** Format: date-time */
            readonly at: string;
            /** Format: uuid */
            readonly by: string;
            readonly member: {
                readonly role: components["schemas"]["Role"];
                /** Format: uuid */
                readonly user_id: string;
            };
            /** Format: uuid */
            readonly room_id: string;
            /** Format: int64 */
            readonly seq: number;
            /** @constant */
            readonly type: "member.added";
        };
        readonly MemberRemoved: {
            /** Format: date-time */
            readonly at: string;
            /** Format: uuid */
            readonly by: string;
            /** Format: uuid */
            readonly room_id: string;
            /** Format: int64 */
            readonly seq: number;
            /** @constant */
            readonly type: "member.removed";
            /** Format: uuid */
            readonly user_id: string;
        };
        readonly MemberRoleChanged: {
            /** Format: date-time */
            readonly at: string;
            /** Format: uuid */
            readonly by: string;
            readonly role: components["schemas"]["Role"];
            /** Format: uuid */
            readonly room_id: string;
            /** Format: int64 */
            readonly seq: number;
            /** @constant */
            readonly type: "member.role_changed";
            /** Format: uuid */
            readonly user_id: string;
        };
        readonly Message: {
            /** Format: uuid */
            readonly client_id?: string;
            readonly content: string;
            /** Format: date-time */
            readonly created_at: string;
            /** Format: date-time */
            readonly deleted_at?: string;
            /** Format: date-time */
            readonly edited_at?: string;
            /** Format: uuid */
            readonly id: string;
            readonly kind: string;
            readonly parts?: unknown;
            /** Format: uuid */
            readonly reply_to?: string;
            /** Format: uuid */
            readonly room_id: string;
            readonly sender: components["schemas"]["Sender"];
            /** Format: int64 */
            readonly seq: number;
        };
        readonly MessagePost: {
            /** Format: uuid */
            readonly client_id: string;
            readonly content: string;
            /** Format: int64 */
            readonly id: number;
            readonly kind?: string;
            /** Format: uuid */
            readonly reply_to?: string;
            /** Format: uuid */
            readonly room_id: string;
            /** @constant */
            readonly type: "message.post";
        };
        readonly MessagePosted: {
            readonly message: components["schemas"]["Message"];
            /** Format: uuid */
            readonly room_id: string;
            /** Format: int64 */
            readonly seq: number;
            /** @constant */
            readonly type: "message.posted";
        };
        readonly Ok: {
            /** Format: date-time */
            readonly created_at?: string;
            readonly events?: readonly components["schemas"]["ServerFrame"][];
            /** Format: int64 */
            readonly last_seq?: number;
            /** Format: uuid */
            readonly message_id?: string;
            readonly more?: boolean;
            /** Format: int64 */
            readonly re: number;
            /** Format: uuid */
            readonly room_id?: string;
            /** Format: int64 */
            readonly seq?: number;
            /** @constant */
            readonly type: "ok";
        };
        readonly OwnUser: {
            readonly avatar_url?: string;
            /** Format: date-time */
            readonly created_at: string;
            readonly email?: string;
            readonly full_name?: string;
            /** Format: uuid */
            readonly id: string;
            /** @enum {string} */
            readonly role: "admin" | "user";
            readonly username: string;
        };
        readonly Ping: {
            /** Format: int64 */
            readonly id: number;
            /** @constant */
            readonly type: "ping";
        };
        readonly Pong: {
            /** Format: int64 */
            readonly re: number;
            /** @constant */
            readonly type: "pong";
        };
        readonly Ready: {
            /** Format: int64 */
            readonly heartbeat_ms: number;
            /** Format: int64 */
            readonly re: number;
            readonly rooms: readonly components["schemas"]["Room"][];
            /** Format: uuid */
            readonly session_id: string;
            /** @constant */
            readonly type: "ready";
            readonly user: components["schemas"]["OwnUser"];
        };
        readonly ReceiptMark: {
            /** Format: int64 */
            readonly delivered_seq?: number;
            /** Format: int64 */
            readonly id: number;
            /** Format: int64 */
            readonly read_seq?: number;
            /** Format: uuid */
            readonly room_id: string;
            /** @constant */
            readonly type: "receipt.mark";
        };
        readonly ReceiptUpdated: {
            /** Format: int64 */
            readonly delivered_seq: number;
            /** Format: int64 */
            readonly read_seq: number;
            /** Format: uuid */
            readonly room_id: string;
            /** @constant */
            readonly type: "receipt.updated";
            /** Format: uuid */
            readonly user_id: string;
        };
        /** @enum {string} */
        readonly Role: "owner" | "admin" | "member" | "guest";
        readonly Room: {
            /** Format: int64 */
            readonly delivered_seq: number;
            /** Format: uuid */
            readonly id: string;
            readonly kind: components["schemas"]["RoomKind"];
            /** Format: date-time */
            readonly last_message_at?: string;
            /** Format: int64 */
            readonly last_seq: number;
            /** Format: int64 */
            readonly member_count: number;
            readonly name?: string;
            readonly peer?: components["schemas"]["User"];
            /** Format: int64 */
            readonly read_seq: number;
            readonly role?: components["schemas"]["Role"];
            /** Format: uuid */
            readonly space_id?: string;
            readonly topic?: string;
            /** Format: int64 */
            readonly unread: number;
        };
        readonly RoomCatchUp: {
            /** Format: int64 */
            readonly after: number;
            /** Format: int64 */
            readonly id: number;
            /** Format: int64 */
            readonly limit?: number;
            /** Format: uuid */
            readonly room_id: string;
            /** @constant */
            readonly type: "room.catch_up";
        };
        readonly RoomJoined: {
            readonly room: components["schemas"]["Room"];
            /** @constant */
            readonly type: "room.joined";
        };
        /** @enum {string} */
        readonly RoomKind: "direct" | "group" | "channel" | "ai" | "inbox";
        readonly RoomLagged: {
            /** Format: int64 */
            readonly last_seq: number;
            /** Format: uuid */
            readonly room_id: string;
            /** @constant */
            readonly type: "room.lagged";
        };
        readonly RoomUpdated: {
            /** Format: date-time */
            readonly at: string;
            /** Format: uuid */
            readonly by: string;
            readonly name?: string;
            /** Format: uuid */
            readonly room_id: string;
            /** Format: int64 */
            readonly seq: number;
            readonly topic?: string;
            /** @constant */
            readonly type: "room.updated";
        };
        readonly Sender: {
            /** Format: uuid */
            readonly id: string;
            /** @enum {string} */
            readonly type: "user" | "agent" | "contact";
        };
        readonly ServerFrame: components["schemas"]["Ready"] | components["schemas"]["Ok"] | components["schemas"]["Error"] | components["schemas"]["Pong"] | components["schemas"]["Heartbeat"] | components["schemas"]["MessagePosted"] | components["schemas"]["MemberAdded"] | components["schemas"]["MemberRemoved"] | components["schemas"]["MemberRoleChanged"] | components["schemas"]["RoomUpdated"] | components["schemas"]["RoomJoined"] | components["schemas"]["RoomLagged"] | components["schemas"]["ReceiptUpdated"];
        readonly User: {
            readonly avatar_url?: string;
            /** Format: date-time */
            readonly created_at: string;
            readonly full_name?: string;
            /** Format: uuid */
            readonly id: string;
            readonly username: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
