/** Parlance's client library. It knows no React and no page; `web/README.md` shows how to use it. */
export { Chat } from "./chat";
export { followBrowser, ParlanceClient, type ClientOptions } from "./client";
export type { LinkState } from "./connection";
export { CommandError, describe, LinkLost, ProblemError, retryAfterMs, SignedOut } from "./errors";
export { isChange, isOwn, partyOf, peopleOf, type DurableEvent, type KnownEvent, type MessageChange, type MessagePosted } from "./events";
export { newId } from "./ids";
export { shownName } from "./looks";
export { MESSAGE_BYTES_MAX, messageBytes } from "./limits";
export type { ChangeEntry, OutboxEntry } from "./outbox";
export type { Room, RoomState } from "./room";
export type { RoomsState } from "./rooms";
export { StorageFull, type Keeping, type KeyValueStore } from "./storage";
export { Store } from "./store";
export type { SpaceWithChannels } from "./spaces";
export type {
  AuthOptions, Channel, Invitation, Member, Message, MessageVersion, OwnDevice, OwnUser, Party, PartyProfile, Person, Role, RoomInfo, Space,
  SpaceMember, Team, TeamMember, TeamRole, User,
} from "./types";
