/**
 * The protocol's types under the names that the rest of the client uses.
 *
 * Everything here is taken from the documents that the engine prints about itself, so a change of the protocol shows
 * up as a type error. This is the only file that names generated types.
 */
import type { components as FrameDocument } from "./generated/events";
import type { components as HttpDocument } from "./generated/http";

type Frames = FrameDocument["schemas"];
type Http = HttpDocument["schemas"];

export type ServerFrame = Frames["ServerFrame"];
export type ClientFrame = Frames["ClientFrame"];

/** The server frame of one `type`. */
export type FrameOf<T extends ServerFrame["type"]> = Extract<ServerFrame, { readonly type: T }>;

type Commands = Frames["Commands"];
type Answers = Frames["Answers"];

/** A command that wants an answer, before the connection gives it an id. */
export type Command = { [K in keyof Commands]: Omit<Commands[K], "id"> & { readonly type: K } }[Exclude<keyof Commands, "hello">];

export type AnswerTo<C extends Command> = Answers[C["type"]];

export type Ready = FrameOf<"ready">;
export type Ok = FrameOf<"ok">;
export type CaughtUp = Frames["CaughtUp"];
export type Retry = FrameOf<"error">["retry"];
export type Message = FrameOf<"message.posted">["message"];
export type RoomInfo = FrameOf<"room.joined">["room"];
export type Role = NonNullable<RoomInfo["role"]>;

export type User = Http["PublicUser"];
/** What is shown of somebody. */
export type Person = Pick<User, "id" | "username" | "full_name" | "avatar_url">;
export type Party = Http["Party"];
export type PartyProfile = Http["PartyProfile"];
export type Team = Http["Team"];
export type TeamMember = Http["TeamMember"];
export type TeamRole = Http["TeamRole"];
export type NewTeam = Http["CreateTeam"];
export type TeamChanges = Http["UpdateTeam"];
export type OwnUser = Http["OwnUser"];
export type Member = Http["RoomMember"];
/** What a message said before. */
export type MessageVersion = Http["MessageVersion"];
export type Space = Http["Space"];
export type Channel = Http["ChannelListing"];
export type Tokens = Http["SignedIn"];
export type NewAccount = Http["Registration"];
export type Credentials = Http["Login"];
export type SpaceMember = Http["SpaceMember"];
export type NewRoom = Http["CreateRoom"];
export type MadeRoom = Http["MadeRoom"];
export type AuthOptions = Http["AuthOptions"];
/** A device that we are signed in on. */
export type OwnDevice = Http["OwnDevice"];
export type RoomChanges = Http["UpdateRoom"];
export type NewSpace = Http["CreateSpace"];
/** What adding somebody gives: they are in, or are asked first. */
export type Added = Http["EventMember"] | Invited;
export type Invited = Http["Invited"];
export type Invitation = Http["Invitation"];
export type InvitationUpdated = FrameOf<"invitation.updated">;
export type SpaceFrame = FrameOf<"space.joined"> | FrameOf<"space.updated"> | FrameOf<"space.left">;

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page starts; null on the last one. */
  readonly next?: string | null;
}
