// Generated from openapi.json by `npm run generate`; edit the engine's types instead.
/* eslint-disable */

export interface paths {
    readonly "/admin/jobs": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** What follows commits or is due at a time and has not been done, the newest first. Without payloads. */
        readonly get: operations["list_jobs"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/admin/jobs/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /** Drop a dead job: nobody does it any more. */
        readonly delete: operations["delete_job"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/admin/jobs/{id}/retry": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Try a dead job again, as if it were enqueued now: behind those of its key that wait, with all of its attempts. */
        readonly post: operations["retry_job"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/admin/rooms/{id}/notices": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Says something to all members of a room, as the engine itself: a message of kind `system` and sender type `system`, which
         *     is unread for everybody.
         * @description For admins, whether or not they are in the room. The same `client_id` again: 200 and the first one.
         */
        readonly post: operations["post_notice"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/admin/secrets": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the secrets that features keep: everything but the secrets themselves.
         * @description For admins.
         */
        readonly get: operations["list_secrets"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/admin/secrets/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        /**
         * Replace a secret, such as a provider's key that has leaked. Its name and label stay.
         * @description For admins. What uses it has the new value from its next use on. Sent again, it is replaced again by the same.
         */
        readonly put: operations["replace_secret"];
        readonly post?: never;
        /**
         * Delete a secret. What uses it stops working until it is given another.
         * @description For admins.
         */
        readonly delete: operations["delete_secret"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/admin/users/{id}/reset-link": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Make a link that sets a new password, for somebody who forgot theirs.
         * @description For admins. An earlier link of the account is good no longer.
         */
        readonly post: operations["make_reset_link"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/login": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Sign in with a password. */
        readonly post: operations["login"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/logout": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Sign this device out.
         * @description Its access and refresh tokens are refused from now on and its sockets are closed with 4501. Send the access token, or
         *     the refresh token in the body when that has expired. Signing out twice is no error. A token of an outside issuer is
         *     not ours to end.
         */
        readonly post: operations["logout"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/options": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * What a page for signing in offers.
         * @description Needs no token.
         */
        readonly get: operations["options"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/refresh": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Trade a refresh token for a new pair of tokens.
         * @description A refresh token works once. Sent again within a minute (`auth.refresh_grace_s`), while the one that it was traded for
         *     is unused, it is answered with that one again: for an answer that was lost, or a second tab. After that, using it a
         *     second time signs the device out, because one of the two who hold it must be a thief.
         */
        readonly post: operations["refresh"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/register": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Create an account and sign in.
         * @description A username or email that is taken is refused without saying which of the two it is.
         */
        readonly post: operations["register"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/auth/reset": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Set a new password by a link that an admin made.
         * @description Works once. All devices of the account are signed out; sign in with the new password afterwards.
         */
        readonly post: operations["reset"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/invitations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** What the caller has not answered yet, newest first. There is something only where `chat.strangers` is `invite`. */
        readonly get: operations["list_invitations"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/invitations/{id}/accept": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Accepts: the caller is in the room or space from now on, and their devices hear `room.joined`. Accepting once more is
         *     harmless.
         */
        readonly post: operations["accept_invitation"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/invitations/{id}/decline": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Declines. The same person cannot ask again for a while (`chat.invitation_days`); they are not told. Declining once more
         *     is harmless.
         */
        readonly post: operations["decline_invitation"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/parties": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Names and avatars of parties of every kind. Who is not there, or not the caller's to see, is left out. */
        readonly get: operations["list_parties"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/rooms": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * The caller's rooms, those with the newest activity (`last_message_at`, else `created_at`) first.
         * @description Rooms may move up while the pages are read. Those that changed since the first page come again at the end, so that none
         *     is left out: of a room that came twice, the later one is right.
         */
        readonly get: operations["list_rooms"];
        readonly put?: never;
        /**
         * Makes a room. A direct room of the same two people is returned (200), not made twice; and so is a room that the caller made
         *     under the same `client_id`, whatever else is sent with it. Without one, each request makes another.
         */
        readonly post: operations["create_room"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/rooms/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** One room, as the caller sees it. */
        readonly get: operations["get_room"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /** Renames a room or changes its topic. */
        readonly patch: operations["update_room"];
        readonly trace?: never;
    };
    readonly "/rooms/{id}/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Everything in the room's order after a seq, as frames: `room.catch_up` without a WebSocket. */
        readonly get: operations["list_events"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/rooms/{id}/members": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A room's members, a page at a time. */
        readonly get: operations["list_members"];
        readonly put?: never;
        /**
         * Adds someone to a group or channel; in a channel of a space, its people may add themselves. Somebody who is in it already
         *     stays what they are (200). A team is added by one of its people, and comes with all of them: they are in the room as long
         *     as it is.
         */
        readonly post: operations["add_member"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/rooms/{id}/members/{party}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Removes a member; removing oneself is leaving. Whoever is out already stays out (204): if they have an invitation, it is
         *     taken back; one's own invitations everybody may take back. A team, by `team:ID`, goes with those who are here with it and
         *     with no other; its owners may take it out as well.
         */
        readonly delete: operations["remove_member"];
        readonly options?: never;
        readonly head?: never;
        /**
         * Changes a member's role: a user's by their id, a team's and its people's by `team:ID`. Somebody who is here with a team and
         *     is given another role is here for themselves from then on.
         */
        readonly patch: operations["set_member_role"];
        readonly trace?: never;
    };
    readonly "/rooms/{id}/messages": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** A room's messages: newest first, or with `after` oldest first. */
        readonly get: operations["list_messages"];
        readonly put?: never;
        /** Posts a message. The same `client_id` again: 200 and the first one. */
        readonly post: operations["post_message"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/rooms/{id}/messages/{message_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Deletes a message: its place stays, without content. Its author may, and in a group or channel whoever rules over them.
         *     One that is deleted already stays so (204).
         */
        readonly delete: operations["delete_message"];
        readonly options?: never;
        readonly head?: never;
        /** Edits a message; only its author may. One that says this already is left as it is. */
        readonly patch: operations["edit_message"];
        readonly trace?: never;
    };
    readonly "/rooms/{id}/messages/{message_id}/versions": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** What a message said before it was edited or deleted, the oldest first: for owners and admins of the room. */
        readonly get: operations["list_versions"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/spaces": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The caller's spaces. */
        readonly get: operations["list_spaces"];
        readonly put?: never;
        /**
         * Makes a space, with the caller as its owner. The same `client_id` again: 200 and the first one; without one, each
         *     request makes another.
         */
        readonly post: operations["create_space"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/spaces/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** One space of the caller. */
        readonly get: operations["get_space"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /** Renames a space or changes its topic. */
        readonly patch: operations["update_space"];
        readonly trace?: never;
    };
    readonly "/spaces/{id}/members": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The people of a space. */
        readonly get: operations["list_space_members"];
        readonly put?: never;
        /** Adds someone to a space; they may then join its channels. Somebody who is in it already stays what they are (200). */
        readonly post: operations["add_space_member"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/spaces/{id}/members/{user_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Removes someone from a space and from all of its channels; removing oneself is leaving. They read nothing of the channels
         *     from then on, and each channel tells its members by `member.removed`. Whoever is out already stays out (204): if they have an
         *     invitation, it is taken back; one's own invitations everybody may take back.
         */
        readonly delete: operations["remove_space_member"];
        readonly options?: never;
        readonly head?: never;
        /** Changes what someone is in a space. An owner makes another owner, and may then step down or leave. */
        readonly patch: operations["set_space_member_role"];
        readonly trace?: never;
    };
    readonly "/spaces/{id}/rooms": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The channels of a space that the caller may find, joined or not. */
        readonly get: operations["list_space_rooms"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/teams": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The teams that the caller is in. */
        readonly get: operations["list_teams"];
        readonly put?: never;
        /**
         * Makes a team, with the caller as its owner. The same `client_id` again: 200 and the first one; without one, each request
         *     makes another.
         */
        readonly post: operations["create_team"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/teams/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** One team that the caller is in, or shares a room with. */
        readonly get: operations["get_team"];
        readonly put?: never;
        readonly post?: never;
        /**
         * Deletes a team; for its owners. First each of its rooms takes it out, with the people who are there with it: they hear so
         *     in the order of the room.
         */
        readonly delete: operations["delete_team"];
        readonly options?: never;
        readonly head?: never;
        /** Renames a team or describes it anew; for its owners. */
        readonly patch: operations["update_team"];
        readonly trace?: never;
    };
    readonly "/teams/{id}/members": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The people of a team, for those who are in it. */
        readonly get: operations["list_team_members"];
        readonly put?: never;
        /**
         * Adds somebody to a team; for its owners. They come into every room where the team is. Somebody who is in it already stays
         *     what they are (200).
         */
        readonly post: operations["add_team_member"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/teams/{id}/members/{user_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Takes somebody out of a team, and so out of the rooms where they are with it; for its owners. Oneself: leaves it. The last
         *     one of all takes the team with them.
         */
        readonly delete: operations["remove_team_member"];
        readonly options?: never;
        readonly head?: never;
        /** Makes somebody an owner of a team, or a member; for its owners. */
        readonly patch: operations["set_team_role"];
        readonly trace?: never;
    };
    readonly "/users": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Find people by name, in the order of their usernames. */
        readonly get: operations["find_users"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/users/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Somebody, as everybody sees them. */
        readonly get: operations["get_user"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/users/me": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Yourself, with what only you may see. */
        readonly get: operations["get_me"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        /** Change your profile. */
        readonly patch: operations["update_me"];
        readonly trace?: never;
    };
    readonly "/users/me/devices": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The devices that you are signed in on, the newest sign-in first. */
        readonly get: operations["list_devices"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/users/me/devices/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        readonly post?: never;
        /**
         * Sign a device of yours out.
         * @description Its tokens are refused from now on and its sockets are closed with 4501. Signing it out twice is no error.
         */
        readonly delete: operations["sign_device_out"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/users/me/password": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        /**
         * Change your password.
         * @description Your other devices are signed out, and their sockets closed with 4501; this one stays signed in.
         */
        readonly put: operations["change_password"];
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Whom to add: a person by `user_id`, or anybody as `party`. */
        readonly AddMember: {
            readonly party?: components["schemas"]["Party"] | null;
            readonly role?: components["schemas"]["Role"] | null;
            readonly user_id?: components["schemas"]["UserId"] | null;
        };
        /** @description Whom to add. */
        readonly AddSpaceMember: {
            readonly role?: components["schemas"]["Role"] | null;
            readonly user_id: components["schemas"]["UserId"];
        };
        /** @description Whom to add to a team. */
        readonly AddTeamMember: {
            readonly role?: components["schemas"]["TeamRole"] | null;
            /** Format: uuid */
            readonly user_id: string;
        };
        /**
         * Format: uuid
         * @description An AI agent.
         */
        readonly AgentId: string;
        /** @description What somebody who is not signed in has to know to do so. */
        readonly AuthOptions: {
            /**
             * @description The shortest password, in characters.
             * @example 8
             */
            readonly password_chars_min: number;
            /** @description Whether anyone may create an account. */
            readonly registration: boolean;
        };
        /** @description A channel that can be found in a space. */
        readonly ChannelListing: {
            /** Format: date-time */
            readonly created_at: string;
            readonly id: components["schemas"]["RoomId"];
            /** @description Whether the caller is a member; if not, they can join. */
            readonly joined: boolean;
            /** Format: date-time */
            readonly last_message_at?: string | null;
            readonly name?: string | null;
            readonly topic?: string | null;
        };
        /**
         * Format: uuid
         * @description Somebody outside, who writes by way of a bridge.
         */
        readonly ContactId: string;
        /** @description A room to be made. */
        readonly CreateRoom: {
            /** @description The client's own id for it, at most 64 bytes: sending it again returns the first room. */
            readonly client_id?: string | null;
            readonly kind: components["schemas"]["RoomKind"];
            /** @description The other people; the caller is in it anyway. Exactly one for a direct room. */
            readonly member_ids?: readonly components["schemas"]["UserId"][];
            /** @description Needed for channels; direct rooms have none. */
            readonly name?: string | null;
            readonly space_id?: components["schemas"]["SpaceId"] | null;
            readonly topic?: string | null;
        };
        /** @description A space to be made. */
        readonly CreateSpace: {
            /** @description The client's own id for it, at most 64 bytes: sending it again returns the first space. */
            readonly client_id?: string | null;
            readonly name: string;
            readonly topic?: string | null;
        };
        /** @description A team to be made. */
        readonly CreateTeam: {
            /** @description The client's own id for it, at most 64 bytes: sending it again returns the first team. */
            readonly client_id?: string | null;
            readonly description?: string | null;
            /** @example Support */
            readonly name: string;
        };
        /** @description The device that signs in, as the client names it. */
        readonly Device: {
            /**
             * @description The client's own, stable id of the device, at most 64 characters. Signing in again on the same device
             *     ends its earlier sign-in.
             */
            readonly id?: string | null;
            /**
             * @description What its owner would call it, at most 100 characters.
             * @example Firefox on Linux
             */
            readonly name?: string | null;
        };
        /** @description A page of devices, the newest sign-in first. */
        readonly DevicePage: {
            readonly items: readonly components["schemas"]["OwnDevice"][];
            /**
             * Format: uuid
             * @description Send it as `before` for the next page; null on the last one.
             */
            readonly next?: string | null;
        };
        /** @description What a message says from now on. */
        readonly EditMessageBody: {
            /** @description The author's own id for the edit, at most 64 bytes: sending it again returns the first result. */
            readonly client_id?: string | null;
            readonly content: string;
            /** @description Absent or empty: none. */
            readonly parts?: readonly Record<string, unknown>[] | null;
        };
        /** @description Someone's place in a room, inside events: a user by `user_id`, others as `party`. */
        readonly EventMember: {
            readonly party?: components["schemas"]["Party"] | null;
            readonly role: components["schemas"]["Role"];
            readonly user_id?: components["schemas"]["UserId"] | null;
        };
        /** @description A page of the order: the `ok` of `room.catch_up` as it is, without its `re`. */
        readonly EventPage: {
            /** @description The same frames that were or would have been sent live, in order. */
            readonly events: readonly Record<string, unknown>[];
            /** Format: int64 */
            readonly last_seq: number;
            /** @description Whether there is another page after the last of these. */
            readonly more: boolean;
            /** @example ok */
            readonly type: string;
        };
        /** @description Somebody who shares no room or space with the caller asks them in. */
        readonly Invitation: {
            /** Format: date-time */
            readonly created_at: string;
            /** Format: uuid */
            readonly id: string;
            readonly inviter: components["schemas"]["PublicUser"];
            readonly kind: components["schemas"]["InvitedTo"];
            /** @description What the room or space was called when the caller was invited. */
            readonly name?: string | null;
            /** @description What the caller will be there. */
            readonly role: components["schemas"]["Role"];
            readonly room_id?: components["schemas"]["RoomId"] | null;
            readonly space_id?: components["schemas"]["SpaceId"] | null;
            readonly state: components["schemas"]["InvitationState"];
        };
        /**
         * @description What became of an invitation.
         * @enum {string}
         */
        readonly InvitationState: "pending" | "accepted" | "declined" | "revoked";
        /** @description Somebody was not added but invited. */
        readonly Invited: {
            /** Format: uuid */
            readonly invitation_id: string;
            /** @description What they will be if they accept. */
            readonly role: components["schemas"]["Role"];
            readonly user_id: components["schemas"]["UserId"];
        };
        /**
         * @description What somebody is invited to.
         * @enum {string}
         */
        readonly InvitedTo: "direct" | "group" | "channel" | "space";
        /** @description A page of jobs, the newest first. */
        readonly JobPage: {
            readonly items: readonly components["schemas"]["ListedJob"][];
            /**
             * Format: uuid
             * @description Send it as `before` for the next page; null on the last one.
             */
            readonly next?: string | null;
        };
        /**
         * @description Where a job is.
         * @enum {string}
         */
        readonly JobState: "pending" | "running" | "dead";
        /** @description Work that follows a commit or is due at a time. */
        readonly ListedJob: {
            /**
             * Format: int32
             * @description How often it was begun.
             */
            readonly attempts: number;
            /** Format: date-time */
            readonly created_at: string;
            /** Format: date-time */
            readonly dead_at?: string | null;
            /** Format: uuid */
            readonly id: string;
            /** @description Jobs of one kind and key run one after the other. */
            readonly key?: string | null;
            /** @example auth.delete_expired */
            readonly kind: string;
            /** @description Why its last failed attempt failed. */
            readonly last_error?: string | null;
            /**
             * Format: date-time
             * @description Until when the engine that runs it has it, unless it extends that.
             */
            readonly leased_until?: string | null;
            /**
             * Format: date-time
             * @description Not before.
             */
            readonly run_at: string;
            readonly state: components["schemas"]["JobState"];
            /** @description No handler of this version runs it: another version enqueued it. It waits for one that does. */
            readonly unknown_kind?: boolean;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_ChannelListing: {
            readonly items: readonly {
                /** Format: date-time */
                readonly created_at: string;
                readonly id: components["schemas"]["RoomId"];
                /** @description Whether the caller is a member; if not, they can join. */
                readonly joined: boolean;
                /** Format: date-time */
                readonly last_message_at?: string | null;
                readonly name?: string | null;
                readonly topic?: string | null;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_Invitation: {
            readonly items: readonly {
                /** Format: date-time */
                readonly created_at: string;
                /** Format: uuid */
                readonly id: string;
                readonly inviter: components["schemas"]["PublicUser"];
                readonly kind: components["schemas"]["InvitedTo"];
                /** @description What the room or space was called when the caller was invited. */
                readonly name?: string | null;
                /** @description What the caller will be there. */
                readonly role: components["schemas"]["Role"];
                readonly room_id?: components["schemas"]["RoomId"] | null;
                readonly space_id?: components["schemas"]["SpaceId"] | null;
                readonly state: components["schemas"]["InvitationState"];
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_MessageVersion: {
            readonly items: readonly {
                readonly content: string;
                readonly parts?: readonly Record<string, unknown>[] | null;
                /**
                 * Format: int64
                 * @description The place of the event that ended it.
                 */
                readonly seq: number;
                /**
                 * Format: date-time
                 * @description Until when it said so.
                 */
                readonly until: string;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_PublicUser: {
            readonly items: readonly {
                readonly avatar_url?: string | null;
                /** Format: date-time */
                readonly created_at: string;
                /** @example Ada Lovelace */
                readonly full_name?: string | null;
                /** Format: uuid */
                readonly id: string;
                /** @example ada */
                readonly username: string;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_RoomMember: {
            readonly items: readonly {
                /** Format: int64 */
                readonly delivered_seq: number;
                /** Format: date-time */
                readonly joined_at: string;
                readonly party?: components["schemas"]["Party"] | null;
                readonly profile?: components["schemas"]["PartyProfile"] | null;
                /** Format: int64 */
                readonly read_seq: number;
                readonly role: components["schemas"]["Role"];
                readonly user?: components["schemas"]["PublicUser"] | null;
                readonly via_team_id?: components["schemas"]["TeamId"] | null;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_RoomSummary: {
            readonly items: readonly {
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
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_SecretMeta: {
            readonly items: readonly {
                /** Format: date-time */
                readonly created_at: string;
                /**
                 * Format: uuid
                 * @description The admin who made it; left out when that was the engine, an operator, or somebody whose account is gone.
                 */
                readonly created_by?: string | null;
                /**
                 * @description Its last characters, by which people tell keys apart; left out for short and binary ones.
                 * @example …x4Qz
                 */
                readonly hint?: string | null;
                /** Format: uuid */
                readonly id: string;
                /**
                 * @description The fingerprint of the master key that it is under.
                 * @example 0f1e2d3c4b5a6978
                 */
                readonly key_id: string;
                /**
                 * @description For people; may be empty.
                 * @example OpenAI, billing of marketing
                 */
                readonly label: string;
                /**
                 * Format: date-time
                 * @description When it was last used, to the minute.
                 */
                readonly last_used_at?: string | null;
                /**
                 * @description What it is called there, such as its owner's id.
                 * @example 0192a000-0000-7000-8000-000000000000
                 */
                readonly name: string;
                /** @description Whether the engine has that key. If not, it cannot be used until the key is back. */
                readonly readable: boolean;
                /**
                 * Format: date-time
                 * @description When it got its present value, if that is not the first.
                 */
                readonly replaced_at?: string | null;
                /**
                 * Format: date-time
                 * @description When it was last put under a newer master key.
                 */
                readonly rotated_at?: string | null;
                /**
                 * @description Whose it is: the feature and kind.
                 * @example ai.provider
                 */
                readonly scope: string;
                /**
                 * Format: int32
                 * @description How many values it has had.
                 * @example 1
                 */
                readonly version: number;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_Space: {
            readonly items: readonly {
                /** Format: date-time */
                readonly created_at: string;
                readonly id: components["schemas"]["SpaceId"];
                /** Format: int64 */
                readonly member_count: number;
                readonly name: string;
                /** @description The caller's role. */
                readonly role: components["schemas"]["Role"];
                readonly topic?: string | null;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_SpaceMember: {
            readonly items: readonly {
                /** Format: date-time */
                readonly joined_at: string;
                readonly role: components["schemas"]["Role"];
                readonly user: components["schemas"]["PublicUser"];
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_Team: {
            readonly items: readonly {
                /** Format: date-time */
                readonly created_at: string;
                readonly description?: string | null;
                readonly id: components["schemas"]["TeamId"];
                /**
                 * Format: int64
                 * @description How many are in it; told to them.
                 */
                readonly member_count?: number | null;
                /** @example Support */
                readonly name: string;
                readonly role?: components["schemas"]["TeamRole"] | null;
            }[];
            readonly next?: string | null;
        };
        /** @description A page of a list; `next` is the cursor of the next page, null on the last. */
        readonly ListPage_TeamMember: {
            readonly items: readonly {
                /** Format: date-time */
                readonly joined_at: string;
                readonly role: components["schemas"]["TeamRole"];
                readonly user: components["schemas"]["PublicUser"];
            }[];
            readonly next?: string | null;
        };
        /** @description Who signs in, and how they prove it. */
        readonly Login: {
            readonly device?: components["schemas"]["Device"] | null;
            /**
             * @description Username or email.
             * @example ada
             */
            readonly login: string;
            /** @example correct horse battery */
            readonly password: string;
        };
        /** @description What signs out a device whose access token is none any more. */
        readonly Logout: {
            /** @description Any refresh token of the device, also one that was used. Looked at only when no good access token comes with it. */
            readonly refresh_token?: string | null;
        };
        /** @description A room that was made, or found, and who was asked into it. */
        readonly MadeRoom: components["schemas"]["RoomSummary"] & {
            /**
             * @description Those of the given people who share no room or space with the caller, where `chat.strangers` is `invite`: they are
             *     in it once they accept. Absent: nobody.
             */
            readonly invited?: readonly components["schemas"]["UserId"][];
        };
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
        /**
         * Format: uuid
         * @description A message; unique across rooms, while its place in the room is `(room_id, seq)`.
         */
        readonly MessageId: string;
        /** @description A page of messages; `next` goes into `before` or `after`, whichever was asked with. */
        readonly MessagePage: {
            readonly items: readonly components["schemas"]["Message"][];
            /** Format: int64 */
            readonly next?: number | null;
        };
        /** @description What a message said before an edit or its deletion. */
        readonly MessageVersion: {
            readonly content: string;
            readonly parts?: readonly Record<string, unknown>[] | null;
            /**
             * Format: int64
             * @description The place of the event that ended it.
             */
            readonly seq: number;
            /**
             * Format: date-time
             * @description Until when it said so.
             */
            readonly until: string;
        };
        /** @description A device that you are signed in on. */
        readonly OwnDevice: {
            /**
             * Format: date-time
             * @description When it was signed in.
             */
            readonly created_at: string;
            /** @description The one that asks. */
            readonly current: boolean;
            /** @description The client's own id of the device, if it gave one. */
            readonly device_id?: string | null;
            /**
             * Format: date-time
             * @description When it is signed out by itself, unless it is used before.
             */
            readonly expires_at: string;
            /**
             * Format: uuid
             * @description Of the sign-in; `DELETE /users/me/devices/{id}` ends it.
             */
            readonly id: string;
            /**
             * Format: date-time
             * @description When it last signed in or refreshed its tokens.
             */
            readonly last_used_at: string;
            /** @example Firefox on Linux */
            readonly name?: string | null;
        };
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
        /**
         * @description Which of the four.
         * @enum {string}
         */
        readonly PartyKind: "user" | "agent" | "team" | "contact";
        /** @description Profiles, in the order in which they were asked for. Who is not there, or not the caller's to see, is left out. */
        readonly PartyList: {
            readonly parties: readonly components["schemas"]["PartyProfile"][];
        };
        /** @description Who a party is, whatever it is. */
        readonly PartyProfile: {
            readonly avatar_url?: string | null;
            /** Format: uuid */
            readonly id: string;
            /**
             * @description To be shown: a person's full name, or else their username.
             * @example Ada Lovelace
             */
            readonly name: string;
            readonly type: components["schemas"]["PartyKind"];
            /**
             * @description Of a person.
             * @example ada
             */
            readonly username?: string | null;
        };
        /** @description The password that is, and the one that shall be. */
        readonly PasswordChange: {
            /** @example correct horse battery */
            readonly current_password: string;
            /**
             * @description At least 8 characters (`auth.password_chars_min`), at most 1024 bytes.
             * @example staple correct horse
             */
            readonly new_password: string;
        };
        /** @description The body of `POST /rooms/{id}/messages`. */
        readonly PostMessageBody: {
            /** @description The sender's own id for this message, at most 64 bytes: sending it again returns the first result. */
            readonly client_id: string;
            readonly content?: string;
            /** @description `text` when absent; `system` is the engine's own. */
            readonly kind?: string | null;
            /** @description Structured content: an array of objects, told as it was sent. */
            readonly parts?: readonly Record<string, unknown>[] | null;
            readonly reply_to?: components["schemas"]["MessageId"] | null;
        };
        /** @description What to say. */
        readonly PostNotice: {
            /**
             * @description The caller's own id for this notice, at most 64 bytes: sending it again returns the first one, whichever admin sends
             *     it.
             */
            readonly client_id: string;
            readonly content: string;
        };
        /** @description The body of an error answer: RFC 9457, `application/problem+json`. */
        readonly ProblemBody: {
            /**
             * @description Stable machine-readable reason.
             * @example chat.not_a_member
             */
            readonly code: string;
            readonly detail: string;
            /** @description The same id as in the `x-request-id` header and in the engine's log. */
            readonly request_id: string;
            /**
             * Format: int64
             * @description Present when trying again can help: milliseconds to wait.
             */
            readonly retry_after_ms?: number | null;
            /**
             * Format: int32
             * @example 403
             */
            readonly status: number;
            /** @description The status code's own words. */
            readonly title: string;
            /**
             * @description `about:blank`: the `code` says which problem it is.
             * @example about:blank
             */
            readonly type: string;
        };
        /** @description What to change: a field that is absent stays, one that is null is cleared. */
        readonly ProfilePatch: {
            /** @description An `https://` address, or a path on this server that starts with `/`. */
            readonly avatar_url?: string | null;
            /** @example Ada Lovelace */
            readonly full_name?: string | null;
            /**
             * @description In E.164 form: a plus, the country code and the number.
             * @example +4930123456
             */
            readonly phone?: string | null;
            /** @description Replaced as a whole; at most 16384 bytes as JSON. */
            readonly preferences?: Record<string, unknown> | null;
            /** @example In the engine room */
            readonly status_message?: string | null;
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
        /** @description The refresh token that was given out last. */
        readonly Refresh: {
            readonly refresh_token: string;
        };
        /** @description A new account. */
        readonly Registration: {
            readonly device?: components["schemas"]["Device"] | null;
            /** @example ada@example.com */
            readonly email: string;
            /** @example Ada Lovelace */
            readonly full_name?: string | null;
            /**
             * @description At least 8 characters (`auth.password_chars_min`), at most 1024 bytes.
             * @example correct horse battery
             */
            readonly password: string;
            /**
             * @description 3 to 32 letters a to z, digits, dots, underscores and hyphens; capitals make no difference.
             * @example ada
             */
            readonly username: string;
        };
        /** @description The token of a link, and the password that shall be. */
        readonly Reset: {
            /**
             * @description At least 8 characters (`auth.password_chars_min`), at most 1024 bytes.
             * @example staple correct horse
             */
            readonly new_password: string;
            readonly token: string;
        };
        /** @description A link that sets a new password. Whoever has it can take the account over: give it to its owner only. */
        readonly ResetLink: {
            /** Format: date-time */
            readonly expires_at: string;
            /**
             * @description Where the web client takes it, below this server's address. The token stands behind a `#`, so that no proxy logs
             *     it.
             * @example /reset#token=…
             */
            readonly path: string;
            /** @description For `POST /auth/reset`; works once. */
            readonly token: string;
            /** Format: uuid */
            readonly user_id: string;
            /** @example ada */
            readonly username: string;
        };
        /**
         * @description What a member is in a room or space, from least to most.
         * @enum {string}
         */
        readonly Role: "guest" | "member" | "admin" | "owner";
        /**
         * Format: uuid
         * @description A conversation of any kind.
         */
        readonly RoomId: string;
        /**
         * @description What a room is; what differs is who its members are.
         * @enum {string}
         */
        readonly RoomKind: "direct" | "group" | "channel";
        /** @description Someone in a room: a person as `user`, others as `party` with their `profile`. */
        readonly RoomMember: {
            /** Format: int64 */
            readonly delivered_seq: number;
            /** Format: date-time */
            readonly joined_at: string;
            readonly party?: components["schemas"]["Party"] | null;
            readonly profile?: components["schemas"]["PartyProfile"] | null;
            /** Format: int64 */
            readonly read_seq: number;
            readonly role: components["schemas"]["Role"];
            readonly user?: components["schemas"]["PublicUser"] | null;
            readonly via_team_id?: components["schemas"]["TeamId"] | null;
        };
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
        /** @description A secret as it may be seen: everything but the secret. */
        readonly SecretMeta: {
            /** Format: date-time */
            readonly created_at: string;
            /**
             * Format: uuid
             * @description The admin who made it; left out when that was the engine, an operator, or somebody whose account is gone.
             */
            readonly created_by?: string | null;
            /**
             * @description Its last characters, by which people tell keys apart; left out for short and binary ones.
             * @example …x4Qz
             */
            readonly hint?: string | null;
            /** Format: uuid */
            readonly id: string;
            /**
             * @description The fingerprint of the master key that it is under.
             * @example 0f1e2d3c4b5a6978
             */
            readonly key_id: string;
            /**
             * @description For people; may be empty.
             * @example OpenAI, billing of marketing
             */
            readonly label: string;
            /**
             * Format: date-time
             * @description When it was last used, to the minute.
             */
            readonly last_used_at?: string | null;
            /**
             * @description What it is called there, such as its owner's id.
             * @example 0192a000-0000-7000-8000-000000000000
             */
            readonly name: string;
            /** @description Whether the engine has that key. If not, it cannot be used until the key is back. */
            readonly readable: boolean;
            /**
             * Format: date-time
             * @description When it got its present value, if that is not the first.
             */
            readonly replaced_at?: string | null;
            /**
             * Format: date-time
             * @description When it was last put under a newer master key.
             */
            readonly rotated_at?: string | null;
            /**
             * @description Whose it is: the feature and kind.
             * @example ai.provider
             */
            readonly scope: string;
            /**
             * Format: int32
             * @description How many values it has had.
             * @example 1
             */
            readonly version: number;
        };
        /** @description A new value. It goes in and never comes out. */
        readonly SecretValue: {
            /**
             * Format: password
             * @example sk-…
             */
            readonly value: string;
        };
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
        /** @description The member's new role. */
        readonly SetRole: {
            readonly role: components["schemas"]["Role"];
        };
        /** @description The member's new role. */
        readonly SetSpaceRole: {
            readonly role: components["schemas"]["Role"];
        };
        /** @description The new role of somebody in a team. */
        readonly SetTeamRole: {
            readonly role: components["schemas"]["TeamRole"];
        };
        /** @description The answer to signing up, signing in and refreshing. */
        readonly SignedIn: {
            /** @description A JWT for `Authorization: Bearer` and for `hello`. */
            readonly access_token: string;
            /**
             * Format: int64
             * @description Seconds until the access token expires.
             * @example 900
             */
            readonly expires_in: number;
            /** @description Works once, for `POST /auth/refresh`; keep the new one of its answer in place of this. */
            readonly refresh_token: string;
            readonly user: components["schemas"]["OwnUser"];
        };
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
        /** @description Someone in a space. */
        readonly SpaceMember: {
            /** Format: date-time */
            readonly joined_at: string;
            readonly role: components["schemas"]["Role"];
            readonly user: components["schemas"]["PublicUser"];
        };
        /** @description People who come into rooms together. */
        readonly Team: {
            /** Format: date-time */
            readonly created_at: string;
            readonly description?: string | null;
            readonly id: components["schemas"]["TeamId"];
            /**
             * Format: int64
             * @description How many are in it; told to them.
             */
            readonly member_count?: number | null;
            /** @example Support */
            readonly name: string;
            readonly role?: components["schemas"]["TeamRole"] | null;
        };
        /**
         * Format: uuid
         * @description People who come into rooms together.
         */
        readonly TeamId: string;
        /** @description Somebody in a team. */
        readonly TeamMember: {
            /** Format: date-time */
            readonly joined_at: string;
            readonly role: components["schemas"]["TeamRole"];
            readonly user: components["schemas"]["PublicUser"];
        };
        /** @description What somebody is in a team. */
        readonly TeamPlace: {
            readonly role: components["schemas"]["TeamRole"];
            readonly user_id: components["schemas"]["UserId"];
        };
        /**
         * @description What somebody is in a team, from least to most.
         * @enum {string}
         */
        readonly TeamRole: "member" | "owner";
        /** @description What to change; what is absent stays, an empty text clears. */
        readonly UpdateRoom: {
            readonly name?: string | null;
            readonly topic?: string | null;
        };
        /** @description What to change; what is absent stays, an empty topic clears it. */
        readonly UpdateSpace: {
            readonly name?: string | null;
            readonly topic?: string | null;
        };
        /** @description What to change; what is absent stays, an empty description clears it. */
        readonly UpdateTeam: {
            readonly description?: string | null;
            readonly name?: string | null;
        };
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
    responses: {
        /** @description `auth.account_disabled` */
        readonly Forbidden: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
        readonly Invalid: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.invalid_json`: the body is not JSON; `request.invalid_query`: the query cannot be read; `request.invalid_idempotency_key` */
        readonly Malformed: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.method_not_allowed`: of another method at this path */
        readonly MethodNotAllowed: {
            headers: {
                /** @description The methods that there are at this path */
                readonly Allow?: string;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.invalid_path`: there is nothing under such an id */
        readonly NotFound: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.not_json`: send the body with `Content-Type: application/json` */
        readonly NotJson: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.timeout`, `request.too_slow`: it, or its body, came too slowly, and nothing was done */
        readonly TimedOut: {
            headers: {
                /** @description Seconds to wait before sending it again */
                readonly "Retry-After"?: string;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.too_large`: the body is longer than `server.request_bytes_max` */
        readonly TooLarge: {
            headers: {
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
        readonly TooMany: {
            headers: {
                /** @description Seconds to wait before sending it again */
                readonly "Retry-After"?: string;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
        readonly Unauthorized: {
            headers: {
                /** @description `Bearer` */
                readonly "WWW-Authenticate"?: string;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
        /** @description `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
        readonly Unavailable: {
            headers: {
                /** @description Seconds to wait before sending it again */
                readonly "Retry-After"?: string;
                readonly [name: string]: unknown;
            };
            content: {
                readonly "application/problem+json": components["schemas"]["ProblemBody"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly list_jobs: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Only of this kind. */
                readonly kind?: string;
                /** @description Items on the page */
                readonly limit?: number;
                /** @description pending, running or dead; without it, all. */
                readonly state?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of jobs */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["JobPage"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `jobs.invalid_query`. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly delete_job: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The job's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It is gone */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `jobs.not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `jobs.not_dead` */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly retry_job: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The job's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description It waits to be run */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `jobs.not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `jobs.not_dead`; `jobs.duplicate`: another one that does the same waits already */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly post_notice: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PostNotice"];
            };
        };
        readonly responses: {
            /** @description It had been posted before */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Message"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Message"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description auth.not_an_admin. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.content_too_large. Also: `request.too_large`: the body is longer than `server.request_bytes_max` */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 415: components["responses"]["NotJson"];
            /** @description chat.invalid. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            /** @description engine.busy, engine.unavailable: send it again with the same client_id. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly list_secrets: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
                /** @description Of one feature and kind only, such as `ai.provider`. */
                readonly scope?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of secrets */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_SecretMeta"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `vault.invalid_name`. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly replace_secret: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The secret's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SecretValue"];
            };
        };
        readonly responses: {
            /** @description Replaced */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SecretMeta"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `vault.not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `vault.locked`: a master key is not here, and the engine's log says what to do */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `vault.too_large`. Also: `request.too_large`: the body is longer than `server.request_bytes_max` */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 415: components["responses"]["NotJson"];
            /** @description `vault.empty`, `request.invalid_body`. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly delete_secret: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The secret's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Deleted */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `vault.not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly make_reset_link: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The user's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Made */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ResetLink"];
                };
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.not_an_admin`; `auth.account_disabled`: enable it first. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.user_not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly login: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Login"];
            };
        };
        readonly responses: {
            /** @description Signed in */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SignedIn"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.login_refused`: the login or the password is wrong */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description `auth.invalid_…`: a field is not acceptable. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.too_many_attempts`. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `engine.busy`, `engine.unavailable`: later. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly logout: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** @description Not needed with an access token */
        readonly requestBody?: {
            readonly content: {
                readonly "application/json": components["schemas"]["Logout"];
            };
        };
        readonly responses: {
            /** @description Signed out */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired`; `auth.refresh_refused`: nobody is signed in with that refresh token. Also: `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description `auth.too_many_attempts`. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `engine.unavailable`: later. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly options: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description How to get in here */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["AuthOptions"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly refresh: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Refresh"];
            };
        };
        readonly responses: {
            /** @description Still signed in */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SignedIn"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.refresh_refused`: sign in again */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description `auth.too_many_attempts`. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `engine.unavailable`: later. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly register: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Registration"];
            };
        };
        readonly responses: {
            /** @description Created and signed in */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["SignedIn"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.registration_closed` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `auth.registration_refused`: the username or email cannot be used */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description `auth.invalid_…`: a field is not acceptable, and the detail says what would be. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.too_many_attempts`. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `engine.busy`, `engine.unavailable`: later. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly reset: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["Reset"];
            };
        };
        readonly responses: {
            /** @description Set */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.reset_refused`: used, too old, or a newer link was made; `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description `auth.invalid_password`: not acceptable, and the detail says what would be; the link stays good. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.too_many_attempts`. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `engine.busy`, `engine.unavailable`: later. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly list_invitations: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_Invitation"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly accept_invitation: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The client's own id for this change. The same one sent again, as after an answer that was lost, is answered by what the first one did, however long ago, and while it is still under way; of each person's, in each room. For another change of the room it is refused with 422, `chat.key_reused` */
                readonly "Idempotency-Key"?: string;
            };
            readonly path: {
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Invitation"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.invitation_not_found: it was declined, revoked, or is too old. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.room_full, chat.too_many_rooms */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            /** @description engine.unavailable: send it again. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly decline_invitation: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.invitation_not_found: it was accepted, revoked, or is too old. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_parties: {
        readonly parameters: {
            readonly query: {
                /** @description Parties as `type:id`, or users by their id alone, apart by commas: at most 100. */
                readonly ids: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PartyList"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description parties.invalid_ids. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_rooms: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_RoomSummary"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly create_room: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateRoom"];
            };
        };
        readonly responses: {
            /** @description It had been made before */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["MadeRoom"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["MadeRoom"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_invited: the other one of a direct room cannot be asked. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.room_full, chat.too_many_rooms, chat.too_many_invitations */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description chat.invalid, chat.user_not_found, chat.direct_room, limits.people_at_once. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.rooms, limits.people: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description engine.unavailable: send it again with the same client_id. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_room: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RoomSummary"];
                };
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly update_room: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The client's own id for this change. The same one sent again, as after an answer that was lost, is answered by what the first one did, however long ago, and while it is still under way; of each person's, in each room. For another change of the room it is refused with 422, `chat.key_reused` */
                readonly "Idempotency-Key"?: string;
            };
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["UpdateRoom"];
            };
        };
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RoomSummary"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_events: {
        readonly parameters: {
            readonly query: {
                /** @description The newest seq that the client has; 0 for everything. */
                readonly after: number;
                /** @description Events on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventPage"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.ahead: after is beyond the room's newest event */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_members: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_RoomMember"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly add_member: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The client's own id for this change. The same one sent again, as after an answer that was lost, is answered by what the first one did, however long ago, and while it is still under way; of each person's, in each room. For another change of the room it is refused with 422, `chat.key_reused` */
                readonly "Idempotency-Key"?: string;
            };
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["AddMember"];
            };
        };
        readonly responses: {
            /** @description They were in it already, or this very change added them before, in this role */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventMember"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventMember"];
                };
            };
            /** @description They share no room or space with the caller, and are asked first */
            readonly 202: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Invited"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed, chat.not_invited. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.room_full, chat.too_many_rooms, chat.too_many_invitations */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description chat.user_not_found, chat.party_not_found, chat.direct_room, chat.invalid, limits.people_at_once. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.people, limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly remove_member: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The client's own id for this change. The same one sent again, as after an answer that was lost, is answered by what the first one did, however long ago, and while it is still under way; of each person's, in each room. For another change of the room it is refused with 422, `chat.key_reused` */
                readonly "Idempotency-Key"?: string;
            };
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
                /** @description A user's id, or `team:ID` */
                readonly party: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.last_owner; chat.of_team: they are here with a team */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.direct_room, chat.party_not_found. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly set_member_role: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The client's own id for this change. The same one sent again, as after an answer that was lost, is answered by what the first one did, however long ago, and while it is still under way; of each person's, in each room. For another change of the room it is refused with 422, `chat.key_reused` */
                readonly "Idempotency-Key"?: string;
            };
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
                /** @description A user's id, or `team:ID` */
                readonly party: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SetRole"];
            };
        };
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventMember"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.room_not_found, chat.not_a_member. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.last_owner */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_messages: {
        readonly parameters: {
            readonly query?: {
                /** @description Only messages above this seq, oldest first: `next` of the page before, when it was asked so. */
                readonly after?: number;
                /** @description Only messages below this seq, newest first: `next` of the page before, when it was asked so. */
                readonly before?: number;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["MessagePage"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.ahead: after is beyond the room's newest event */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly post_message: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PostMessageBody"];
            };
        };
        readonly responses: {
            /** @description It had been posted before */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Message"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Message"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.room_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.content_too_large. Also: `request.too_large`: the body is longer than `server.request_bytes_max` */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description limits.messages, limits.bytes: again after retry_after_ms, with the same client_id. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description engine.busy, engine.unavailable: send it again with the same client_id. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly delete_message: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
                readonly message_id: components["schemas"]["MessageId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 401: components["responses"]["Unauthorized"];
            /** @description message.not_yours. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.room_not_found, chat.message_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description engine.busy, engine.unavailable: send it again. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly edit_message: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
                readonly message_id: components["schemas"]["MessageId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["EditMessageBody"];
            };
        };
        readonly responses: {
            /** @description The message as it is now */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Message"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description message.not_yours. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.room_not_found, chat.message_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description message.deleted */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.content_too_large. Also: `request.too_large`: the body is longer than `server.request_bytes_max` */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description limits.messages, limits.bytes: again after retry_after_ms, with the same client_id. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description engine.busy, engine.unavailable: send it again with the same client_id. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly list_versions: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["RoomId"];
                readonly message_id: components["schemas"]["MessageId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_MessageVersion"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description message.not_a_moderator. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.room_not_found, chat.message_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_spaces: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_Space"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly create_space: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateSpace"];
            };
        };
        readonly responses: {
            /** @description It had been made before */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Space"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Space"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            /** @description engine.unavailable: send it again with the same client_id. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
    readonly get_space: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Space"];
                };
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.space_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly update_space: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["UpdateSpace"];
            };
        };
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Space"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_space_members: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_SpaceMember"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.space_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly add_space_member: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["AddSpaceMember"];
            };
        };
        readonly responses: {
            /** @description They were in it already, in this role */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventMember"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventMember"];
                };
            };
            /** @description They share no room or space with the caller, and are asked first */
            readonly 202: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Invited"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed, chat.not_invited. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 404: components["responses"]["NotFound"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.too_many_invitations */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description chat.user_not_found. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.people: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly remove_space_member: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
                readonly user_id: components["schemas"]["UserId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.space_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.last_owner */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly set_space_member_role: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
                readonly user_id: components["schemas"]["UserId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SetSpaceRole"];
            };
        };
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventMember"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description chat.not_allowed. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description chat.space_not_found, chat.not_a_member. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description chat.last_owner */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_space_rooms: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["SpaceId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_ChannelListing"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description chat.space_not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_teams: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_Team"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly create_team: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CreateTeam"];
            };
        };
        readonly responses: {
            /** @description It had been made before */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Team"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Team"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description team.too_many */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description team.invalid. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.rooms: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly get_team: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Team"];
                };
            };
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description team.not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly delete_team: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 401: components["responses"]["Unauthorized"];
            /** @description team.not_an_owner. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description team.not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly update_team: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["UpdateTeam"];
            };
        };
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Team"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description team.not_an_owner. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description team.not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description team.invalid. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_team_members: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_TeamMember"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            readonly 403: components["responses"]["Forbidden"];
            /** @description team.not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly add_team_member: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["AddTeamMember"];
            };
        };
        readonly responses: {
            /** @description They were in it already, in this role */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TeamPlace"];
                };
            };
            /** @description As asked */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TeamPlace"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description team.not_an_owner; team.stranger: they share no room or space with the caller, and chat.strangers is invite. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description team.not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description team.full */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description team.user_not_found. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.people: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly remove_team_member: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
                readonly user_id: components["schemas"]["UserId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description As asked */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 401: components["responses"]["Unauthorized"];
            /** @description team.not_an_owner. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description team.not_found. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description team.last_owner: others are in it */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly set_team_role: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly id: components["schemas"]["TeamId"];
                readonly user_id: components["schemas"]["UserId"];
            };
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SetTeamRole"];
            };
        };
        readonly responses: {
            /** @description As asked */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["TeamPlace"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            readonly 401: components["responses"]["Unauthorized"];
            /** @description team.not_an_owner. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description team.not_found, team.not_a_member. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description team.last_owner */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            readonly 422: components["responses"]["Invalid"];
            /** @description limits.messages: again after retry_after_ms. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly find_users: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
                /** @description A part of a username or full name; without it, everybody. */
                readonly query?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of people */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ListPage_PublicUser"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            /** @description `auth.invalid_query`. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly get_user: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The user's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The user */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["PublicUser"];
                };
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.user_not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly get_me: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description You */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OwnUser"];
                };
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly update_me: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["ProfilePatch"];
            };
        };
        readonly responses: {
            /** @description You, as you are now */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OwnUser"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description `auth.invalid_…`: a field is not acceptable, and the detail says what would be. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly list_devices: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next` of the page before; not together with `before` */
                readonly after?: string;
                /** @description The `next` of the page before: the same as `after`, under the name that suits a list from the newest on */
                readonly before?: string;
                /** @description Items on the page */
                readonly limit?: number;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of devices */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DevicePage"];
                };
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 403: components["responses"]["Forbidden"];
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 422: components["responses"]["Invalid"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly sign_device_out: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description The `id` of the device in the list */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Signed out */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 403: components["responses"]["Forbidden"];
            /** @description `auth.device_not_found`. Also: `request.invalid_path`: there is nothing under such an id */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 429: components["responses"]["TooMany"];
            readonly 503: components["responses"]["Unavailable"];
        };
    };
    readonly change_password: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PasswordChange"];
            };
        };
        readonly responses: {
            /** @description Changed */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            readonly 400: components["responses"]["Malformed"];
            /** @description `auth.token_missing`, `auth.token_invalid`, `auth.token_expired` */
            readonly 401: {
                headers: {
                    /** @description `Bearer` */
                    readonly "WWW-Authenticate"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.password_refused`: the current password is wrong; `auth.account_disabled`. Also: `auth.account_disabled` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            readonly 405: components["responses"]["MethodNotAllowed"];
            readonly 408: components["responses"]["TimedOut"];
            readonly 413: components["responses"]["TooLarge"];
            readonly 415: components["responses"]["NotJson"];
            /** @description `auth.invalid_password`: the new one is not acceptable, and the detail says what would be. Also: `request.invalid_body`, `request.invalid_page`, `chat.invalid`, `chat.key_reused`: it can be read, and is not acceptable; the detail says what would be */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `auth.too_many_attempts`. Also: `request.too_many_unfinished`: of this address; again after `retry_after_ms` */
            readonly 429: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
            /** @description `engine.busy`, `engine.unavailable`: later. Also: `engine.busy`, `engine.unavailable`: send the same again after `retry_after_ms` */
            readonly 503: {
                headers: {
                    /** @description Seconds to wait before sending it again */
                    readonly "Retry-After"?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["ProblemBody"];
                };
            };
        };
    };
}
