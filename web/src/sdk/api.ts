/** Every HTTP call that the client makes, one line each. */
import type { CallOptions, Http, Method } from "./http";
import { newId } from "./ids";
import type {
  Added, AuthOptions, Channel, Credentials, Invitation, Invited, MadeRoom, Member, MessageVersion, NewAccount, NewRoom,
  NewSpace, NewTeam, OwnDevice, OwnUser, Page, PartyProfile, Role, RoomChanges, RoomInfo, Space, SpaceMember, Team, TeamChanges, TeamMember,
  TeamRole, Tokens, User,
} from "./types";

/** People and members come in pages of this size; the engine may give fewer. */
const PAGE_ITEMS = 100;
const PAGES_MAX = 20;

export class Api {
  constructor(private readonly http: Http) {}

  options = () => this.http.call<AuthOptions>("GET", "/auth/options", { anonymous: true });
  register = (account: NewAccount) =>
    this.http.call<Tokens>("POST", "/auth/register", { body: account, anonymous: true });
  login = (credentials: Credentials) =>
    this.http.call<Tokens>("POST", "/auth/login", { body: credentials, anonymous: true });
  /** Either token is enough, so that an expired access token keeps nobody signed in. */
  logout = (accessToken: string, refreshToken: string) =>
    this.http.call<undefined>("POST", "/auth/logout", {
      token: accessToken,
      body: { refresh_token: refreshToken },
      keepalive: true,
    });

  resetPassword = (token: string, newPassword: string) =>
    this.http.call<undefined>("POST", "/auth/reset", { body: { token, new_password: newPassword }, anonymous: true });
  changePassword = (currentPassword: string, newPassword: string) =>
    this.http.call<undefined>("PUT", "/users/me/password", {
      body: { current_password: currentPassword, new_password: newPassword },
    });
  devices = () => this.all<OwnDevice>("/users/me/devices", "before");
  signDeviceOut = (id: string) => this.http.call<undefined>("DELETE", `/users/me/devices/${id}`);

  me = () => this.http.call<OwnUser>("GET", "/users/me");
  searchUsers = (query: string) => this.http.call<Page<User>>("GET", "/users", { query: { query, limit: 20 } });

  /** Each as `type:id`; who is not there is left out. */
  parties = (ids: readonly string[]) =>
    this.http.call<{ readonly parties: readonly PartyProfile[] }>("GET", "/parties", { query: { ids: ids.join(",") } });

  teams = () => this.all<Team>("/teams");
  createTeam = (team: NewTeam) => this.http.call<Team>("POST", "/teams", { body: team });
  updateTeam = (id: string, changes: TeamChanges) => this.http.call<Team>("PATCH", `/teams/${id}`, { body: changes });
  deleteTeam = (id: string) => this.http.call<undefined>("DELETE", `/teams/${id}`);
  teamMembers = (id: string) => this.all<TeamMember>(`/teams/${id}/members`);
  addTeamMember = (id: string, userId: string) =>
    this.http.call<unknown>("POST", `/teams/${id}/members`, { body: { user_id: userId } });
  changeTeamRole = (id: string, userId: string, role: TeamRole) =>
    this.http.call<unknown>("PATCH", `/teams/${id}/members/${userId}`, { body: { role } });
  removeTeamMember = (id: string, userId: string) =>
    this.http.call<undefined>("DELETE", `/teams/${id}/members/${userId}`);

  /** Newest activity first. */
  roomsPage = (after?: string) => this.http.call<Page<RoomInfo>>("GET", "/rooms", { query: { limit: PAGE_ITEMS, after } });
  room = (id: string) => this.http.call<RoomInfo>("GET", `/rooms/${id}`);
  createRoom = (room: NewRoom) => this.http.call<MadeRoom>("POST", "/rooms", { body: room });
  updateRoom = (id: string, changes: RoomChanges) =>
    this.change<RoomInfo>("PATCH", `/rooms/${id}`, { body: changes });

  members = (id: string) => this.all<Member>(`/rooms/${id}/members`);
  addMember = (id: string, userId: string) =>
    this.change<Added>("POST", `/rooms/${id}/members`, { body: { user_id: userId } });
  addTeam = (id: string, teamId: string) =>
    this.change<Added>("POST", `/rooms/${id}/members`, { body: { party: { type: "team", id: teamId } } });
  /** A user's id, or `team:ID`. */
  changeRole = (id: string, party: string, role: Role) =>
    this.change<unknown>("PATCH", `/rooms/${id}/members/${party}`, { body: { role } });
  removeMember = (id: string, party: string) =>
    this.change<undefined>("DELETE", `/rooms/${id}/members/${party}`);

  spaces = () => this.all<Space>("/spaces");
  createSpace = (space: NewSpace) => this.http.call<Space>("POST", "/spaces", { body: space });
  channels = (spaceId: string) => this.all<Channel>(`/spaces/${spaceId}/rooms`);
  spaceMembers = (spaceId: string) => this.all<SpaceMember>(`/spaces/${spaceId}/members`);
  addSpaceMember = (spaceId: string, userId: string) =>
    this.http.call<Added>("POST", `/spaces/${spaceId}/members`, { body: { user_id: userId } });
  changeSpaceRole = (spaceId: string, userId: string, role: Role) =>
    this.http.call<unknown>("PATCH", `/spaces/${spaceId}/members/${userId}`, { body: { role } });
  removeSpaceMember = (spaceId: string, userId: string) =>
    this.http.call<undefined>("DELETE", `/spaces/${spaceId}/members/${userId}`);

  /** What a message said before it was edited or deleted, the oldest first: for those who moderate the room. */
  messageVersions = (roomId: string, messageId: string) =>
    this.all<MessageVersion>(`/rooms/${roomId}/messages/${messageId}/versions`);

  invitations = () => this.all<Invitation>("/invitations");
  acceptInvitation = (id: string) => this.change<Invitation>("POST", `/invitations/${id}/accept`);
  declineInvitation = (id: string) => this.http.call<undefined>("POST", `/invitations/${id}/decline`);

  /** A change of a room: made once, however often its request has to be sent. */
  private change<T>(method: Method, path: string, options: CallOptions = {}): Promise<T> {
    return this.http.call<T>(method, path, { ...options, idempotencyKey: newId() });
  }

  /** All pages of a list, up to a bound that keeps a runaway list from filling the memory of a browser. */
  private async all<T>(path: string, cursorName: "after" | "before" = "after"): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { limit: PAGE_ITEMS, [cursorName]: cursor };
      const answer: Page<T> = await this.http.call<Page<T>>("GET", path, { query });
      items.push(...answer.items);
      if (answer.next == null || answer.items.length === 0) break;
      cursor = answer.next;
    }
    return items;
  }
}

export function isInvited(added: Added): added is Invited {
  return "invitation_id" in added;
}
