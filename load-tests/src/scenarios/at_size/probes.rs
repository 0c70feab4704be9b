//! One measurement of each kind, on an engine with an installation.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rand::RngExt;
use rand::seq::IndexedRandom;
use reqwest::Method;
use uuid::Uuid;

use crate::client::{Heard, History, Installation, InstalledRoom, Listener, fetch_page, post_frame};
use crate::engine::Target;

/// What is measured, by its place in this list.
pub const KINDS: [Kind; 9] = [
    Kind { name: "sign-in", required: true },
    Kind { name: "room list", required: true },
    Kind { name: "hello", required: false },
    Kind { name: "first page", required: true },
    Kind { name: "deep page", required: true },
    Kind { name: "catch-up", required: true },
    Kind { name: "search", required: false },
    Kind { name: "crowd post", required: true },
    Kind { name: "pair post", required: true },
];

/// A kind of measurement.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    /// Whether it must stay within the bound as an installation grows.
    pub required: bool,
}

const PAGE: u64 = 50;
const CAUGHT_UP: u64 = 100;
/// Farther back than a room's memory reaches by default (`chat.window_events_max`).
const FAR_BEHIND: u64 = 600;

/// An engine with an installation, and a pair of devices to post with.
pub struct Site {
    installation: Installation,
    address: std::net::SocketAddr,
    /// Rooms of everybody, which hold most of what was said.
    crowds: Vec<InstalledRoom>,
    poster: Listener,
    hearer: Listener,
    pair: Uuid,
    posts: u64,
    run: Uuid,
}

impl Site {
    pub async fn open(target: &Target, name: &str, password: &str) -> anyhow::Result<Self> {
        let installation = Installation::open(target, name, password).await?;
        // The first person is in the largest rooms; somebody who is in a direct room has to be found.
        for index in 0..installation.users {
            let token = installation.token(index)?;
            let rooms = installation.rooms(&token).await?;
            let Some(pair) = rooms.iter().find(|room| room.kind == "direct") else { continue };
            let crowds: Vec<InstalledRoom> = rooms.iter().take(3).cloned().collect();
            if crowds.iter().any(|room| room.last_seq < FAR_BEHIND + CAUGHT_UP) {
                bail!("the installation is too small to measure on: its rooms fit into memory");
            }
            let (poster, _) = Listener::start(target.address, &token).await?;
            let (hearer, _) = Listener::start(target.address, &token).await?;
            let (pair, address) = (pair.id, target.address);
            return Ok(Self { installation, address, crowds, poster, hearer, pair, posts: 0, run: Uuid::new_v4() });
        }
        bail!("nobody of the installation has a direct room")
    }

    /// Measures once, with somebody and somewhere drawn anew.
    pub async fn measure(&mut self, kind: usize) -> anyhow::Result<Duration> {
        let who = rand::rng().random_range(0..self.installation.users);
        match KINDS.get(kind).map(|kind| kind.name) {
            Some("sign-in") => timed(self.installation.sign_in(who)).await,
            Some("room list") => self.get(who, "/api/v1/rooms?limit=50".to_owned()).await,
            Some("hello") => self.hello(who).await,
            Some("first page") => self.first_page(who).await,
            Some("deep page") => self.deep_page(who).await,
            Some("catch-up") => self.catch_up().await,
            Some("search") => self.search(who).await,
            Some("crowd post") => {
                let room = self.crowd()?.id;
                self.post(room).await
            }
            Some("pair post") => self.post(self.pair).await,
            _ => bail!("there is no such kind"),
        }
    }

    pub async fn close(self) {
        self.poster.close().await;
        self.hearer.close().await;
    }

    fn crowd(&self) -> anyhow::Result<&InstalledRoom> {
        self.crowds.choose(&mut rand::rng()).context("an installation has rooms of everybody")
    }

    async fn get(&self, who: u64, path: String) -> anyhow::Result<Duration> {
        let token = self.installation.token(who)?;
        timed(self.installation.accounts.text(Method::GET, &path, &token, None)).await
    }

    /// From connecting to `ready`.
    async fn hello(&self, who: u64) -> anyhow::Result<Duration> {
        let token = self.installation.token(who)?;
        let begun = Instant::now();
        let (listener, _) = Listener::start(self.address, &token).await?;
        let took = begun.elapsed();
        listener.close().await;
        Ok(took)
    }

    /// Somebody opens any of their rooms.
    async fn first_page(&self, who: u64) -> anyhow::Result<Duration> {
        let token = self.installation.token(who)?;
        let rooms = self.installation.rooms(&token).await?;
        let room = rooms.choose(&mut rand::rng()).context("somebody has no room")?.id;
        timed(fetch_page(&self.installation.accounts, &token, room, History::Newest, PAGE)).await
    }

    /// Somebody reads far back in a room of everybody.
    async fn deep_page(&self, who: u64) -> anyhow::Result<Duration> {
        let token = self.installation.token(who)?;
        let room = self.crowd()?;
        let before = rand::rng().random_range(PAGE..room.last_seq);
        timed(fetch_page(&self.installation.accounts, &token, room.id, History::Before(before), PAGE)).await
    }

    async fn catch_up(&mut self) -> anyhow::Result<Duration> {
        let room = self.crowd()?;
        let (id, after) = (room.id, rand::rng().random_range(0..room.last_seq - FAR_BEHIND));
        timed(self.poster.catch_up(id, after, CAUGHT_UP)).await
    }

    /// Part of somebody's name, as one types it.
    async fn search(&self, who: u64) -> anyhow::Result<Duration> {
        let token = self.installation.token(who)?;
        let me = self.installation.accounts.call(Method::GET, "/api/v1/users/me", &token, None).await?;
        let name = me.get("full_name").and_then(serde_json::Value::as_str).context("somebody has no name")?;
        let part: String = name.chars().take(5).collect();
        self.get(who, format!("/api/v1/users?query={}&limit=20", part.replace(' ', "%20"))).await
    }

    /// From sending on one device to its arrival at another.
    async fn post(&mut self, room: Uuid) -> anyhow::Result<Duration> {
        self.posts += 1;
        let client_id = format!("{}-{}", self.run.simple(), self.posts);
        let marked = format!("\"client_id\":\"{client_id}\"");
        let begun = Instant::now();
        let posting = self.poster.ask(|id| post_frame(id, &room, &client_id, "at its size"));
        let hearing = self.hearer.wait_for(|heard, frame| {
            let ours = matches!(heard, Heard::Event { kind: b"message.posted", .. });
            (ours && memchr::memmem::find(frame, marked.as_bytes()).is_some()).then(|| begun.elapsed())
        });
        let (posted, took) = futures_util::future::join(posting, hearing).await;
        posted?;
        took
    }
}

async fn timed<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    work.await?;
    Ok(begun.elapsed())
}
