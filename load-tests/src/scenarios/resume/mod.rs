//! `resume`: N sessions cut at once and coming back, each having missed M events. How long until everybody has
//! everything, and what does Postgres have to do with it?

mod back;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use uuid::Uuid;

use crate::client::{
    ANSWER_PATIENCE, Accounts, Crowd, Heard, Message, RoomKey, Session, Town, connect_all, hear, needs_of_town,
    post_frame,
};
use crate::engine::{Needs, Target, TargetArgs};
use crate::measure::{Meter, Progress, Reading, Sampler, Spent};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct ResumeArgs {
    /// Sessions, each of a user of its own
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub sessions: u32,
    /// Events that each has missed: rounded up to as many in each of its rooms
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub missed: u32,
    /// Rooms of each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub rooms: u32,
    /// Members of a room
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub room_size: u32,
    /// Handshakes under way at once
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub parallel: u32,
    /// Reads of Postgres, by all together, that are no failure where they missed at most 160 a room, all in its window:
    /// the engine hears a moment later of rooms that were made, and lists of rooms that it read until then are read anew
    #[arg(long, default_value_t = 100)]
    pub reads_max: u32,
}

/// `chat.window_events_max` as it is by default.
const WINDOW_EVENTS: u64 = 512;
/// Of so many events the engine remembers in each room who said them; past it, the unread ones of whoever said some of
/// them are counted in Postgres.
const SENDERS_REMEMBERED: u64 = 160;

/// Everybody reads on for this long when the last one has everything.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// Posts of the speaker that may await their answer.
const POSTS_IN_FLIGHT: u64 = 256;

/// The maker of rooms says everything in them at once.
pub fn needs(args: &ResumeArgs) -> Needs {
    let said = u64::from(args.rooms) * missed_in_a_room(args);
    needs_of_town(args.sessions, args.rooms, args.room_size).at_least("limits.messages_burst", said)
}

pub async fn run(args: &ResumeArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let fits = window_events(target).is_some_and(|window| missed_in_a_room(args) <= window.min(SENDERS_REMEMBERED));
    let target = target.open(&needs(args)).await?;
    let accounts = Accounts::on(&target)?;
    let (rooms, size) = (usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, usize::try_from(args.sessions)?, rooms, size).await?;
    let seen = connect_once(&target, &town).await?;
    let posted = post_everywhere(args, &target, &town).await?;
    let goals = goals(&town, &seen, &posted);
    let meter = Meter::new(&["caught up", "ready"]);
    let before_scrape = target.scrape().await?;
    let (sampler, before) = (Sampler::start(&meter, &target), Reading::of(&target.usage).await);
    let begun = Instant::now();
    let back = back::come_back(args, &target, &town.people, goals, &meter).await;
    let took = begun.elapsed();
    let spent = Reading::of(&target.usage).await.since(&before);
    let series = sampler.stop();
    let after_scrape = target.scrape().await;

    let mut report = conclude(args, took, &spent);
    if let Some(after) = report.take_in(after_scrape) {
        let reads = after.growth(&before_scrape, "parlance_storage_reads_total");
        report.figure("reads of Postgres", reads, "by all of them");
        if fits && reads > f64::from(args.reads_max) {
            let max = args.reads_max;
            report.fail(format!(
                "{reads} reads of Postgres, above --reads-max {max}, though all that they missed is in the rooms' memory"
            ));
        }
    }
    report.latencies(&meter);
    report.series = series;
    // What came twice, or belongs to nobody here, may come last.
    tokio::time::sleep(AFTERWARDS).await;
    back.leave().await;
    if let Some(faults) = meter.faults() {
        report.fail(format!("not everybody got what they had missed, in order and once: {faults}"));
    }
    report.take_in(target.close().await);
    Ok(report)
}

/// Of how long it took and what it cost.
fn conclude(args: &ResumeArgs, took: Duration, spent: &Spent) -> Report {
    let mut report = Report::of("resume")
        .setting("sessions", args.sessions)
        .setting("missed each", missed_in_a_room(args) * u64::from(args.rooms))
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size)
        .setting("parallel", args.parallel);
    report.figure("all back", took.as_secs_f64(), "s");
    report.figure("sessions", f64::from(args.sessions) / took.as_secs_f64(), "a second");
    report.cpu(spent, f64::from(args.sessions), "session");
    report
}

fn missed_in_a_room(args: &ResumeArgs) -> u64 {
    u64::from(args.missed.div_ceil(args.rooms))
}

/// How many events each open room of an engine that is started keeps in memory; `None`: it runs already, and its settings
/// are not known.
fn window_events(target: &TargetArgs) -> Option<u64> {
    if target.url.is_some() {
        return None;
    }
    let set = |setting: &String| setting.strip_prefix("chat.window_events_max=")?.parse().ok();
    Some(target.settings.iter().rev().find_map(set).unwrap_or(WINDOW_EVENTS))
}

/// By session: the newest seq of each room when it was cut.
type Seen = Vec<HashMap<RoomKey, u64>>;

/// Everybody comes, sees where their rooms are, and is cut off.
async fn connect_once(target: &Target, town: &Town) -> anyhow::Result<Seen> {
    let sessions = connect_all(target.address, &town.people, |_, _, _| {}).await?;
    let seen = sessions
        .iter()
        .map(|(_, ready)| ready.rooms.iter().map(|room| (room.id.as_u128(), room.last_seq)).collect::<HashMap<_, _>>());
    let seen = seen.collect();
    Crowd::new(sessions.into_iter().map(|(session, _)| session), |_, _, _| {}, |_, _| {}).cut();
    Ok(seen)
}

/// The maker of each room says something while the others are away; by room, the newest seq afterwards.
async fn post_everywhere(args: &ResumeArgs, target: &Target, town: &Town) -> anyhow::Result<HashMap<RoomKey, u64>> {
    let each = missed_in_a_room(args);
    let progress = Progress::of("missed messages", town.rooms.len() as u64 * each);
    let mut newest = HashMap::new();
    let mut by_maker: HashMap<usize, Vec<Uuid>> = HashMap::new();
    for (room, members) in town.rooms.iter().zip(&town.members) {
        by_maker.entry(*members.first().context("a room has somebody")?).or_default().push(*room);
    }
    for (maker, rooms) in by_maker {
        let person = town.people.get(maker).context("a maker")?;
        let (session, ready) = Session::start(target.address, &person.token, &[], |_, _| {}).await?;
        let before: HashMap<RoomKey, u64> = ready.rooms.iter().map(|room| (room.id.as_u128(), room.last_seq)).collect();
        let in_a_room = usize::try_from(each)?;
        let posts: Vec<Uuid> = rooms.iter().flat_map(|room| std::iter::repeat_n(*room, in_a_room)).collect();
        post_all(&session, &posts, &mut newest).await?;
        for room in rooms.iter().map(Uuid::as_u128) {
            let last = before.get(&room).context("the maker of a room is in it")? + each;
            // Nobody else posts, so that anything else means that places were skipped, or given twice.
            let reached = *newest.entry(room).or_insert(last);
            anyhow::ensure!(reached == last, "{each} posts in a room were acknowledged up to {reached}, not {last}");
        }
        progress.add(posts.len() as u64);
        session.socket.close().await?;
    }
    Ok(newest)
}

/// An answer to `message.post`.
#[derive(serde::Deserialize)]
struct Posted {
    room_id: Uuid,
    seq: u64,
}

/// Posts, and takes from each answer where its message went: what is acknowledged is what everybody must get, whether the
/// maker was shown it or not.
async fn post_all(session: &Session, posts: &[Uuid], newest: &mut HashMap<RoomKey, u64>) -> anyhow::Result<()> {
    let (mut answers, mut sent) = (Answers { count: 0, wrong: None, newest }, 0_u64);
    while answers.count < posts.len() as u64 {
        while sent < posts.len() as u64 && sent - answers.count < POSTS_IN_FLIGHT {
            let room = posts.get(usize::try_from(sent)?).context("a post")?;
            let frame = post_frame(sent + 2, room, &format!("missed-{sent}"), "something to come back to");
            session.socket.send(frame.as_bytes()).await?;
            sent += 1;
        }
        let answered = tokio::time::timeout(ANSWER_PATIENCE, answers.read_some(session)).await;
        answered.with_context(|| format!("no answer to a post for {} s", ANSWER_PATIENCE.as_secs()))??;
    }
    Ok(())
}

/// What the maker of rooms is answered.
struct Answers<'a> {
    count: u64,
    wrong: Option<String>,
    newest: &'a mut HashMap<RoomKey, u64>,
}

impl Answers<'_> {
    /// Until at least one more post is answered.
    async fn read_some(&mut self, session: &Session) -> anyhow::Result<()> {
        let before = self.count;
        while self.count == before {
            let open = session.socket.read(|message| self.hear(&message)).await?;
            if let Some(wrong) = self.wrong.take() {
                anyhow::bail!("{wrong}");
            }
            anyhow::ensure!(open, "the connection ended before every post was answered");
        }
        Ok(())
    }

    fn hear(&mut self, message: &Message<'_>) {
        match message {
            Message::Text(frame) => match hear(frame) {
                Heard::Ok { .. } => self.take(frame),
                Heard::Error { code, .. } => self.wrong = Some(format!("a post was refused: {code}")),
                _ => {}
            },
            Message::Close(code) => {
                self.wrong = Some(format!("the connection was closed with {code} before every post was answered"));
            }
            Message::Other => {}
        }
    }

    fn take(&mut self, frame: &[u8]) {
        match serde_json::from_slice::<Posted>(frame) {
            Ok(Posted { room_id, seq }) => {
                self.count += 1;
                let known = self.newest.entry(room_id.as_u128()).or_default();
                *known = seq.max(*known);
            }
            Err(error) => self.wrong = Some(format!("an answer to a post: {error}")),
        }
    }
}

fn goals(town: &Town, seen: &Seen, newest: &HashMap<RoomKey, u64>) -> Vec<back::Goal> {
    let goal = |seen: &HashMap<RoomKey, u64>| {
        back::Goal::new(seen.iter().map(|(room, last)| (*room, *last, newest.get(room).copied().unwrap_or(*last))))
    };
    town.people.iter().zip(seen).map(|(_, seen)| goal(seen)).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        target: TargetArgs,
    }

    #[test]
    fn the_window_is_known_of_engines_that_are_started() {
        let window = |flags: &[&str]| window_events(&Line::parse_from([&["resume"][..], flags].concat()).target);
        let default = parlance::config::Config::defaults().unwrap().chat.window_events_max;
        assert_eq!(window(&[]), Some(default as u64));
        assert_eq!(window(&["--set", "chat.window_events_max=9", "--set", "chat.window_events_max=8"]), Some(8));
        assert_eq!(window(&["--url", "http://127.0.0.1:1"]), None);
    }
}
