/** Every HTTP call that the client makes, one line each. */
import type { Http } from "./http";
import type {
  Channel, Credentials, Member, NewAccount, NewRoom, NewSpace, OwnUser, Page, Role, RoomChanges, RoomInfo, Space, Tokens, User,
} from "./types";

/** People and members come in pages of this size; the engine may give fewer. */
const PAGE_ITEMS = 100;

export class Api {
  constructor(private readonly http: Http) {}

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

  me = () => this.http.call<OwnUser>("GET", "/users/me");
  user = (id: string) => this.http.call<User>("GET", `/users/${encodeURIComponent(id)}`);
  searchUsers = (query: string) => this.http.call<Page<User>>("GET", "/users", { query: { query, limit: 20 } });

  /** Newest activity first. */
  roomsPage = (after?: string) => this.http.call<Page<RoomInfo>>("GET", "/rooms", { query: { limit: PAGE_ITEMS, after } });
  room = (id: string) => this.http.call<RoomInfo>("GET", `/rooms/${id}`);
  createRoom = (room: NewRoom) => this.http.call<RoomInfo>("POST", "/rooms", { body: room });
  updateRoom = (id: string, changes: RoomChanges) =>
    this.http.call<RoomInfo>("PATCH", `/rooms/${id}`, { body: changes });

  members = (id: string) => this.all<Member>(`/rooms/${id}/members`);
  addMember = (id: string, userId: string) =>
    this.http.call<unknown>("POST", `/rooms/${id}/members`, { body: { user_id: userId } });
  changeRole = (id: string, userId: string, role: Role) =>
    this.http.call<unknown>("PATCH", `/rooms/${id}/members/${userId}`, { body: { role } });
  removeMember = (id: string, userId: string) =>
    this.http.call<undefined>("DELETE", `/rooms/${id}/members/${userId}`);

  spaces = () => this.all<Space>("/spaces");
  createSpace = (space: NewSpace) => this.http.call<Space>("POST", "/spaces", { body: space });
  channels = (spaceId: string) => this.all<Channel>(`/spaces/${spaceId}/rooms`);
  addSpaceMember = (spaceId: string, userId: string) =>
    this.http.call<unknown>("POST", `/spaces/${spaceId}/members`, { body: { user_id: userId } });

  /** All pages of a list, up to a bound that keeps a runaway list from filling the memory of a browser. */
  private async all<T>(path: string, pagesMax = 20): Promise<T[]> {
    const items: T[] = [];
    let after: string | undefined;
    for (let page = 0; page < pagesMax; page += 1) {
      const answer: Page<T> = await this.http.call<Page<T>>("GET", path, { query: { limit: PAGE_ITEMS, after } });
      items.push(...answer.items);
      if (answer.next == null || answer.items.length === 0) break;
      after = answer.next;
    }
    return items;
  }
}
