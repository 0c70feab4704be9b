//! Parlance: an actor-based realtime messaging engine.
//!
//! # Map
//!
//! | where | what |
//! |---|---|
//! | [`app`], [`tree`] | the engine as a whole: what starts in which order, and how each actor is kept |
//! | [`supervision`] | how actors live, die and come back; no word of the domain |
//! | [`edge`], [`web`], [`docs`] | HTTP: worker threads and routes, the web client, the reference |
//! | [`requests`] | what all handlers take from a request alike: JSON objects, pages of lists |
//! | [`protocol`], [`commands`] | what clients may say and hear: the lists of the features, joined; what a command sees of its session |
//! | [`wire`] | the client protocol: envelope, codec, close codes |
//! | [`sessions`] | sockets, [`sessions::Hub`], what waits for a slow reader, reading what was missed |
//! | [`rooms`] | rooms: one order, members, permissions; spaces; history |
//! | [`messaging`] | what people do with messages beside sending them: editing, deleting |
//! | [`order`] | what stands in a room's order, and what the core itself reads of it |
//! | [`persistence`] | group commit, and the fence that makes a second owner harmless |
//! | [`parties`] | teams and their people; who anybody is |
//! | [`jobs`] | what follows a commit, and what is due at a time: leases, retries, dead letters, schedules |
//! | [`accounts`] | accounts, tokens, limits of addresses |
//! | [`limits`] | what one account may do: messages, rooms made, people added, sockets |
//! | [`recent`], [`changes`] | what is kept of Postgres in memory, and hearing when it changes there |
//! | [`vault`] | secrets of others, such as providers' keys, under master keys outside of the database |
//! | [`storage`] | Postgres, embedded or the operator's own; reads under row level security |
//!
//! Each of these says in its own documentation which actors it has and which invariants hold. Inside a feature, the file
//! names are always the same; logic is in `state.rs` (pure), actors are thin.
//!
//! # Words of ours
//!
//! | word | what it is |
//! |---|---|
//! | order, seq | the numbered sequence of a room's rows, messages and events alike; a row's number in it, without gaps |
//! | row | one entry of the order: a message, or an event with its payload |
//! | effect | what an event changes in other tables, in the same transaction |
//! | window | the newest rows of a room, kept in memory as encoded frames |
//! | card | what a greeting says of a room: its facts, newest row, unread count; kept by an open room, read by the lobby |
//! | lobby | answers a session's first question, which rooms it is in, from cards and Postgres |
//! | directory | opens rooms when they are needed and closes them when they are idle |
//! | tray | the writes of a room that its persister has not accepted yet |
//! | claim | a room's right to hear what became of one write |
//! | fence | a write counts only while the room's last seq in Postgres is what the room believes |
//! | adrift | of writes that were decided on one that was not committed: they are fenced without a try |
//! | settling | a room waits for the outcome of all its writes, then loads itself anew |
//! | company | rows that a commit waits for under load |
//! | hub | one a worker thread: hands a frame to the local sessions that follow its topic |
//! | topic, class | whom a frame is for; what a slow reader may lose of it |
//! | outbox | the frames that one session has not been sent yet, with a bound |
//! | shed, lagged | an outbox over its bound drops room events; `room.lagged` tells the client to catch up |
//! | parcel | encoded bytes that several outboxes share |
//! | link | one socket and all that belongs to it |
//! | flusher | writes the outboxes of a thread to their sockets, together where it can |
//! | party | who can be a member, sender or actor: a user, a team, an agent, a contact |
//! | desk | what a command sees of the session that sent it |
//! | door | the method by which one feature uses another |
//! | epoch | one life of the log: after a restore from a backup another one begins |
//!
//! # A message from A to B
//!
//! 1. A's socket gives `sessions::socket` a text; `wire::decode` reads which command it is, [`commands::Commands`] finds it in
//!    the features' lists, and runs it at the session's [`commands::Desk`]. `message.post` (`rooms::commands`) checks what can
//!    be checked without the room (`rooms::compose`) and sends a `PostMessage` to the room through [`rooms::Rooms`].
//! 2. `Room` asks its `RoomState` to decide: is A a member, may A post, was this `client_id` sent before? If all is well
//!    the row gets the room's next `seq` and goes to the room's persister as a `Write`. Nobody has seen anything yet.
//! 3. `Persister` puts it into its next batch: one statement that moves the fences of all rooms in it and inserts the
//!    rows. When it returns, the rows are durable, and each room hears its outcomes.
//! 4. `Room` encodes the frame once, keeps it in its window, and sends one `Delivery` to each hub. Each `Hub` offers the
//!    same bytes to the outbox of every local session that follows the room, B's among them. The thread's
//!    `sessions::flusher` writes each outbox to its socket, with all else that came for it by then, in one system call.
//! 5. After that, by the same way, A's acknowledgement.
//!
//! # A device reconnects
//!
//! 1. `hello` carries the last `seq` of each room that the device has. The session first listens (to its user's and its
//!    rooms' events), then asks [`rooms::Lobby`] for its rooms: nothing can fall between. Somebody who was here lately
//!    is greeted from memory: the account (`accounts::recent`), the list of rooms, and each room's card (`rooms::card`), which
//!    an open room keeps up to date. What memory lacks is read from Postgres, once for everybody.
//!    Somebody in more rooms than `ready` lists is told of those with the newest activity, and follows all of them.
//! 2. `ready` goes out, and names what of `hello.resume` cannot be gone on from (`sessions::resumption`): another life of
//!    the log (`storage::epoch`), beyond a room's end, no longer a member. Rooms that moved on are *behind*: `sessions::resume` asks each room for a page of what came
//!    after; the room answers from its window, and for older things the page comes from Postgres. Live events of a room
//!    that is behind are only noted; when the pages have met them, the room is live.
//! 3. The same happens whenever an outbox sees a gap, for whatever reason: a crash between commit and delivery, a hub
//!    that was too busy. A gap is never shown, only filled.
//!
//! # A token runs out
//!
//! 1. A session lives by the access token of its hello, which `sessions::link` keeps the end and the sign-in of. Before
//!    that end the client trades its refresh token for the next pair (`accounts::sign_in`), and gives the socket the new access
//!    token with `auth.renew` (`sessions::renewal`). If none comes, the sweep of the hub ends the session a minute later.
//! 2. If the answer to the refresh is lost, the client sends the same refresh token again and gets the same next one: it is
//!    made of the one before, under the token key (`accounts::tokens`).
//! 3. Whoever is shut out earlier (disabled, deleted, signed out, on whichever engine or by SQL) is known to all engines
//!    through [`changes`]: memory forgets them, so that [`accounts::Auth::verify`], which every door asks, refuses their
//!    tokens, and their sockets end.
//!
//! # A reader is too slow
//!
//! Its socket takes no more, so the flusher leaves what it should get in its outbox. Past
//! `sessions.outbox_bytes_max` the room events in there give way to one `room.lagged` a room; past
//! `outbox_bytes_limit` it is closed with 4002; and if it takes nothing at all, the kernel ends the connection.
//!
//! # Postgres is away
//!
//! 1. The flush in flight fails. The persister reconnects and tries the same batch again, for `write_timeout_ms`; rooms
//!    go on taking commands until their bound, then answer `busy`.
//! 2. If Postgres comes back in time, the fence tells whether the first try had been committed after all: then its rows
//!    are recognised by id, not written twice.
//! 3. If not, the senders are told `unavailable`, with a retry hint. Each room *settles*: it waits for the outcome of all
//!    its writes, loads itself anew, and goes on from what Postgres has. A client that sends the same `client_id` again
//!    gets one message, whatever had happened.
//!
//! # Something follows a commit
//!
//! 1. Whoever changes Postgres enqueues a job in the same transaction ([`jobs::store::enqueue`]): a crash has both or
//!    neither. After the commit, [`jobs::JobsHandle::wake`].
//! 2. [`jobs::Jobs`] leases what is due, runs each as a task of its own, and deletes the row when its handler says that it
//!    is done. A failed one waits for its next attempt; one that failed for good is a dead letter, for an admin.
//! 3. An engine that is gone keeps its jobs until their leases run out; then another, or its next start, runs them again.
//!
//! # Something panics
//!
//! The actor's task unwinds; its supervisor sees it and starts it again with back-off. A room comes back from Postgres;
//! commands that it had taken are answered "send it again" by their dropped replies; sessions that missed a delivery see
//! the gap. An actor that keeps panicking spends its budget: a room is given up until its next use, anything else stops
//! the engine in order, with exit code 70.

pub mod app;
pub mod config;
pub mod demo;
pub mod docs;
pub mod edge;
mod metrics_list;
pub mod protocol;
pub mod schema;
pub mod server_config;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tidy;
pub mod tools;
pub mod web;

pub use parlance_core::{
    accounts, administration, changes, commands, jobs, limits, order, parties, persistence, publish, rooms, sessions,
    tree, vault, wire,
};
pub use parlance_foundation::{
    checks, clock, ids, party, problem, recent, requests, storage, supervision, telemetry, text,
};
pub use parlance_messaging as messaging;
