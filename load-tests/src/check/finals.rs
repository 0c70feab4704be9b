//! Reading how every room ended, over HTTP and without the proxy.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;

use super::events::{Event, event, kept};
use super::history::{Pass, Place, Record, RoomNo, STRANGER};
use super::world::{RoomEnd, World};
use crate::client::Accounts;

const PAGE_ITEMS: u32 = 200;
/// The order has come to rest when it has not grown for so long, which is longer than a write waits: what a client gave
/// up may still be on its way.
const REST: Duration = Duration::from_millis(3_000);
const REST_PATIENCE: Duration = Duration::from_secs(60);
/// Read marks are written a moment after they are acknowledged.
const MARKS_PATIENCE: Duration = Duration::from_secs(10);

/// What there is to read of a room, below it.
const DOORS: [&str; 5] = ["", "/messages", "/messages?after=0", "/events?after=0", "/members"];
const DOOR_PATIENCE: Duration = Duration::from_secs(20);

/// Reads, as the owner of each room.
pub struct Finals<'a> {
    pub world: &'a World,
    pub accounts: &'a Accounts,
}

impl Finals<'_> {
    /// Waits until nothing moves any more; how each room stands then, and what still moves after a long time.
    pub async fn rest(&self) -> anyhow::Result<(Vec<RoomEnd>, Option<String>)> {
        let begun = Instant::now();
        let mut before = self.ends().await?;
        loop {
            tokio::time::sleep(REST).await;
            let now = self.ends().await?;
            let at_rest = now.iter().zip(&before).all(|(now, before)| now.last_seq == before.last_seq);
            if at_rest && self.world.calls() == 0 {
                return Ok((now, None));
            }
            if begun.elapsed() > REST_PATIENCE {
                let (rooms, calls) = (if at_rest { "the rooms rest" } else { "rooms still grow" }, self.world.calls());
                let after = REST_PATIENCE.as_secs();
                return Ok((
                    now,
                    Some(format!("{after} s after all is quiet {rooms}, and {calls} calls are under way")),
                ));
            }
            before = now;
        }
    }

    async fn ends(&self) -> anyhow::Result<Vec<RoomEnd>> {
        let mut ends = Vec::new();
        for room in self.world.room_numbers() {
            let last_seq = self.get(room, "").await?.get("last_seq").and_then(Value::as_u64).context("last_seq")?;
            let members: HashSet<_> = self.members(room).await?.into_iter().map(|place| place.who).collect();
            ends.push(RoomEnd { last_seq, members });
        }
        Ok(ends)
    }

    /// Waits until all marks are written: everybody in a room has received it all, and read what they are to read.
    pub async fn marks_written(&self, ends: &[RoomEnd]) -> anyhow::Result<()> {
        let begun = Instant::now();
        for (room, end) in self.world.room_numbers().zip(ends) {
            while begun.elapsed() < MARKS_PATIENCE {
                let members = self.members(room).await?;
                let read_to = |who| end.last_seq.saturating_sub(self.world.leaves_unread(who, room));
                let written = |place: &Place| place.delivered >= end.last_seq && place.read >= read_to(place.who);
                if members.iter().all(written) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Ok(())
    }

    /// Records everything there is.
    pub async fn record(&self, pass: Pass) -> anyhow::Result<()> {
        for room in self.world.room_numbers() {
            self.record_order(room, pass).await?;
            self.record_list(room, pass).await?;
            let members = self.members(room).await?;
            self.world.recorder.note(room, Record::Members { pass, members });
            let shown = self.get(room, "").await?;
            let text = |field: &str| shown.get(field).and_then(Value::as_str).map(str::to_owned);
            let last_seq = shown.get("last_seq").and_then(Value::as_u64).context("last_seq")?;
            let described = Record::Described { pass, name: text("name"), topic: text("topic"), last_seq };
            self.world.recorder.note(room, described);
        }
        Ok(())
    }

    async fn record_order(&self, room: RoomNo, pass: Pass) -> anyhow::Result<()> {
        let mut after = 0;
        loop {
            let page = self.get(room, &format!("/events?after={after}&limit={PAGE_ITEMS}")).await?;
            for frame in page.get("events").and_then(Value::as_array).context("events")? {
                let event = event(self.world.numbers(), frame).with_context(|| format!("no event: {frame}"))?;
                after = event.seq;
                let Event { seq, at, frame, says, fact, .. } = event;
                let row = Record::Row { pass, seq, at, frame, says, fact };
                self.world.recorder.note(room, row);
            }
            if page.get("more") != Some(&Value::Bool(true)) {
                return Ok(());
            }
        }
    }

    async fn record_list(&self, room: RoomNo, pass: Pass) -> anyhow::Result<()> {
        // The first time forwards, the second time backwards: both ways are to be the same.
        let direction = if pass == Pass::First { "after" } else { "before" };
        let mut cursor = if pass == Pass::First { 0 } else { i64::MAX };
        loop {
            let page = self.get(room, &format!("/messages?{direction}={cursor}&limit={PAGE_ITEMS}")).await?;
            for message in page.get("items").and_then(Value::as_array).context("items")? {
                let seq = message.get("seq").and_then(Value::as_u64).context("seq")?;
                let message = kept(self.world.numbers(), message).with_context(|| format!("no message: {message}"))?;
                self.world.recorder.note(room, Record::Listed { pass, message, seq });
            }
            match page.get("next").and_then(Value::as_i64) {
                Some(next) => cursor = next,
                None => return Ok(()),
            }
        }
    }

    /// Asks for each room as those who are not in it.
    pub async fn knock(&self, pass: Pass, ends: &[RoomEnd]) -> anyhow::Result<()> {
        for (room, end) in self.world.room_numbers().zip(ends) {
            let id = self.world.room(room).context("a room")?;
            let others = (0..).zip(&self.world.people).filter(|(who, _)| !end.members.contains(who));
            for (who, person) in others.chain([(STRANGER, &self.world.outsider)]) {
                for at in DOORS {
                    let path = format!("/api/v1/rooms/{id}{at}");
                    let status = self.status(&path, &person.token).await?;
                    self.world.recorder.note(room, Record::Knocked { pass, who, at: at.to_owned(), status });
                }
            }
        }
        Ok(())
    }

    /// The status of the answer; one that asks to come later is none, for a while.
    async fn status(&self, path: &str, token: &str) -> anyhow::Result<u16> {
        let begun = Instant::now();
        loop {
            let reached = self.accounts.reach(Method::GET, path, Some(token), None).await?;
            match reached.later() {
                Some(later) if begun.elapsed() < DOOR_PATIENCE => tokio::time::sleep(later).await,
                _ => return Ok(reached.status.as_u16()),
            }
        }
    }

    async fn members(&self, room: RoomNo) -> anyhow::Result<Vec<Place>> {
        let mut places = Vec::new();
        let mut after = String::new();
        loop {
            let page = self.get(room, &format!("/members?limit={PAGE_ITEMS}{after}")).await?;
            for member in page.get("items").and_then(Value::as_array).context("items")? {
                let number = |field: &str| member.get(field).and_then(Value::as_u64).unwrap_or(0);
                let who = member.pointer("/user/id").and_then(|id| self.world.numbers().who(id));
                places.push(Place {
                    who: who.with_context(|| format!("a stranger is a member: {member}"))?,
                    role: member.get("role").and_then(Value::as_str).unwrap_or_default().to_owned(),
                    delivered: number("delivered_seq"),
                    read: number("read_seq"),
                });
            }
            match page.get("next").and_then(Value::as_str) {
                Some(next) => after = format!("&after={next}"),
                None => return Ok(places),
            }
        }
    }

    async fn get(&self, room: RoomNo, rest: &str) -> anyhow::Result<Value> {
        let id = self.world.room(room).context("a room")?;
        let owner = self.world.owners.get(usize::from(room)).and_then(|who| self.world.person(*who));
        let token = &owner.context("its owner")?.token;
        self.accounts.call(Method::GET, &format!("/api/v1/rooms/{id}{rest}"), token, None).await
    }
}
