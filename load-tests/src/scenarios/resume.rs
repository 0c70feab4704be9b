//! `resume`: N sessions cut at once and coming back, each having missed M events. How long until everybody has
//! everything, and what does Postgres have to do with it?

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

use crate::client::{Accounts, Crowd, Heard, Message, Person, RoomKey, Session, Town, connect_all, hear, post_frame};
use crate::engine::{Target, TargetArgs};
use crate::measure::{Meter, Progress, Reading, Sampler};
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
}

/// A session that has not got everything after this long has lost something.
const PATIENCE: Duration = Duration::from_secs(120);
/// Posts of the speaker that may await their answer.
const POSTS_IN_FLIGHT: u64 = 256;

pub async fn run(args: &ResumeArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let target = target.open(&[]).await?;
    let accounts = Accounts::on(&target)?;
    let (rooms, size) = (usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, usize::try_from(args.sessions)?, rooms, size).await?;
    let seen = connect_once(&target, &town).await?;
    let posted = post_everywhere(args, &target, &town).await?;
    let goals = goals(&town, &seen, &posted);
    let meter = Meter::new(&["caught up", "ready"]);
    let before_scrape = target.scrape().await?;
    let (sampler, before) = (Sampler::start(&meter, &target), Reading::of(target.pid));
    let begun = Instant::now();
    let sessions = come_back(args, &target, &town.people, &goals, &meter).await;
    let took = begun.elapsed();
    let spent = Reading::of(target.pid).since(&before);
    let series = sampler.stop();
    let after_scrape = target.scrape().await?;

    let mut report = Report::of("resume")
        .setting("sessions", args.sessions)
        .setting("missed each", u64::from(args.missed.div_ceil(args.rooms)) * u64::from(args.rooms))
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size);
    report.figure("all back", took.as_secs_f64(), "s");
    report.figure("sessions", f64::from(args.sessions) / took.as_secs_f64(), "a second");
    report.cpu(&spent, f64::from(args.sessions), "session");
    report.figure(
        "reads of Postgres",
        after_scrape.growth(&before_scrape, "parlance_storage_reads_total"),
        "by all of them",
    );
    report.latencies(&meter);
    report.series = series;
    let lost = meter.errors.get();
    if lost > 0 {
        report.fail(format!("{lost} sessions did not get what they had missed, in order and once"));
    }
    Crowd::new(sessions, |_, _, _| {}, |_, _| {}).close().await;
    town.leave(&accounts, &target).await?;
    target.close().await?;
    Ok(report)
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
    let each = args.missed.div_ceil(args.rooms);
    let progress = Progress::of("missed messages", town.rooms.len() as u64 * u64::from(each));
    let mut newest = HashMap::new();
    let mut by_maker: HashMap<usize, Vec<Uuid>> = HashMap::new();
    for (room, members) in town.rooms.iter().zip(&town.members) {
        by_maker.entry(*members.first().context("a room has somebody")?).or_default().push(*room);
    }
    for (maker, rooms) in by_maker {
        let person = town.people.get(maker).context("a maker")?;
        let (session, ready) = Session::start(target.address, &person.token, &[], |_, _| {}).await?;
        for room in &ready.rooms {
            newest.entry(room.id.as_u128()).or_insert(room.last_seq);
        }
        let posts: Vec<Uuid> = rooms.iter().flat_map(|room| std::iter::repeat_n(*room, each as usize)).collect();
        post_all(&session, &posts, &mut newest).await?;
        progress.add(posts.len() as u64);
        session.socket.close().await?;
    }
    Ok(newest)
}

async fn post_all(session: &Session, posts: &[Uuid], newest: &mut HashMap<RoomKey, u64>) -> anyhow::Result<()> {
    let (mut answered, mut sent) = (0_u64, 0_u64);
    while answered < posts.len() as u64 {
        while sent < posts.len() as u64 && sent - answered < POSTS_IN_FLIGHT {
            let room = posts.get(usize::try_from(sent)?).context("a post")?;
            let frame = post_frame(sent + 2, room, &format!("missed-{sent}"), "something to come back to");
            session.socket.send(frame.as_bytes()).await?;
            sent += 1;
        }
        let mut refused = None;
        let open = session
            .socket
            .read(|message| {
                let Message::Text(frame) = message else { return };
                match hear(frame) {
                    Heard::Ok { .. } => answered += 1,
                    Heard::Error { code, .. } => refused = Some(code),
                    Heard::Event { room, seq, .. } => {
                        let known = newest.entry(room).or_default();
                        *known = seq.max(*known);
                    }
                    _ => {}
                }
            })
            .await?;
        anyhow::ensure!(open && refused.is_none(), "a post was refused: {refused:?}");
    }
    Ok(())
}

/// What a session has to reach: by room, the seq that it has and the one that is newest.
type Goal = HashMap<RoomKey, (u64, u64)>;

fn goals(town: &Town, seen: &Seen, newest: &HashMap<RoomKey, u64>) -> Vec<Goal> {
    let goal = |seen: &HashMap<RoomKey, u64>| {
        seen.iter().map(|(room, last)| (*room, (*last, newest.get(room).copied().unwrap_or(*last)))).collect()
    };
    town.people.iter().zip(seen).map(|(_, seen)| goal(seen)).collect()
}

/// Everybody comes back at once.
async fn come_back(
    args: &ResumeArgs,
    target: &Target,
    people: &[Person],
    goals: &[Goal],
    meter: &Rc<Meter>,
) -> Vec<Session> {
    let progress = Rc::new(Progress::of("back", people.len() as u64));
    let turns = Rc::new(Semaphore::new(usize::try_from(args.parallel).unwrap_or(1)));
    let back = Rc::new(RefCell::new(Vec::new()));
    let (left, all) = (Rc::new(Cell::new(people.len())), Rc::new(Notify::new()));
    let begun = Instant::now();
    for (person, goal) in people.iter().cloned().zip(goals.iter().cloned()) {
        let (meter, turns, back) = (Rc::clone(meter), Rc::clone(&turns), Rc::clone(&back));
        let (left, all, progress) = (Rc::clone(&left), Rc::clone(&all), Rc::clone(&progress));
        let address = target.address;
        tokio::task::spawn_local(async move {
            // Never closed.
            let turn = turns.acquire().await;
            let returning = Returning { begun, meter: &meter };
            match tokio::time::timeout(PATIENCE, returning.catch_up(address, &person, goal, turn.ok())).await {
                Ok(Ok(session)) => back.borrow_mut().push(session),
                Ok(Err(_)) | Err(_) => Meter::count(&meter.errors, 1),
            }
            progress.add(1);
            left.set(left.get() - 1);
            if left.get() == 0 {
                all.notify_one();
            }
        });
    }
    all.notified().await;
    back.take()
}

struct Returning<'a> {
    begun: Instant,
    meter: &'a Meter,
}

impl Returning<'_> {
    async fn catch_up(
        &self,
        address: std::net::SocketAddr,
        person: &Person,
        goal: Goal,
        turn: Option<tokio::sync::SemaphorePermit<'_>>,
    ) -> anyhow::Result<Session> {
        let resume: Vec<(Uuid, u64)> = goal.iter().map(|(room, (last, _))| (Uuid::from_u128(*room), *last)).collect();
        let open = goal.values().filter(|(last, newest)| last < newest).count();
        let state = RefCell::new((goal, open, false));
        let hear_one = |heard: &Heard<'_>| {
            let (goal, open, wrong) = &mut *state.borrow_mut();
            match heard {
                Heard::Event { room, seq, .. } => {
                    let Some((last, newest)) = goal.get_mut(room) else { return };
                    *wrong |= *seq != *last + 1;
                    *last = *seq;
                    *open -= usize::from(last == newest);
                    Meter::count(&self.meter.received, 1);
                }
                Heard::Lagged { .. } => *wrong = true,
                _ => {}
            }
        };
        let (session, _) = Session::start(address, &person.token, &resume, |heard, _| hear_one(&heard)).await?;
        self.meter.record(1, self.begun.elapsed());
        drop(turn);
        while state.borrow().1 > 0 {
            let each = |message: Message<'_>| {
                if let Message::Text(frame) = message {
                    hear_one(&hear(frame));
                }
            };
            anyhow::ensure!(session.socket.read(each).await?, "the connection ended");
        }
        anyhow::ensure!(!state.borrow().2, "something came out of order, or was shed");
        self.meter.record(0, self.begun.elapsed());
        Ok(session)
    }
}
