//! `mixed`: a day of an organisation: everything that the engine can do, in believable proportions, at a chosen size.
//! `soak`: the same for hours, watching for leaks.

mod acts;
mod crew;
mod finals;
mod gauges;
pub mod soak;
mod watch;

use std::rc::Rc;
use std::time::{Duration, Instant};

use acts::{ACTS, Act, fields_in_all};
use clap::Args;
use crew::Crew;
use gauges::Gauges;
use rand::{Rng, RngExt, SeedableRng};

use crate::client::{Accounts, Town, made_by_one_in_town};
use crate::engine::{Needs, Scrape, Target, TargetArgs};
use crate::measure::{Meter, PERCENT, Pace, Progress, RATES, Reading, Sampler, Spent, within};
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct MixedArgs {
    /// People, each with one device
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    pub users: u32,
    /// Groups of each
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rooms: u32,
    /// Members of a group
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub room_size: u32,
    /// Things done a second, by all of them together
    #[arg(long, default_value_t = 200.0, value_parser = within(RATES), allow_negative_numbers = true)]
    pub rate: f64,
    /// Things done all at once besides, at the begin of each minute
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub burst: u32,
    /// Seconds of it
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// Who does what is drawn with this
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Acts, in percent of all, that may be told to come later or find their device away; 100 to overload on purpose
    #[arg(long, default_value_t = LATER_MAX, value_parser = within(PERCENT), allow_negative_numbers = true)]
    pub later_max: f64,
}

/// See `--later-max`.
const LATER_MAX: f64 = 5.0;

/// Passwords are signed in with a few times a minute by one address: a run does not wait for that.
const SETTINGS: [(&str, &str); 5] = [
    ("auth.login_per_address_per_minute", "100000"),
    ("auth.login_per_account_and_address_per_minute", "100000"),
    ("auth.login_per_account_per_minute", "100000"),
    ("auth.register_per_address_per_hour", "1000000"),
    ("auth.refresh_per_address_per_minute", "100000"),
];

/// Of all acts, those that make a room or a space, and some more: they are not shared out evenly.
const MAKES_SHARE: f64 = 0.03;
/// A message and what belongs to it, at most.
const POST_BYTES: u32 = 1_000;
/// From burst to burst.
const MINUTE: Duration = Duration::from_secs(60);
/// After the last act, what is under way gets this long.
const SETTLE: Duration = Duration::from_secs(40);

/// What people do is within what one may do, unless few of them do much; who makes the space adds everybody.
pub fn needs(args: &MixedArgs) -> Needs {
    let each = args.rate / f64::from(args.users);
    let (rooms, people) = made_by_one_in_town(args.users, args.rooms, args.room_size);
    let (of_space, in_space) = Crew::made_with_space(args.users as usize);
    Needs::default()
        .set(&SETTINGS)
        .made_by_one(rooms + of_space, people + in_space)
        .posts_of_one(each, POST_BYTES)
        .at_least("limits.rooms_per_hour", made_within_an_hour(each, args.seconds))
}

/// Rooms and spaces that one makes, of whom so much is done a second.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an estimate")]
fn made_within_an_hour(each: f64, seconds: u64) -> u64 {
    (each * seconds.min(3_600) as f64 * MAKES_SHARE).ceil() as u64
}

pub async fn run(args: &MixedArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    let report = Report::of("mixed")
        .setting("users", args.users)
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size)
        .setting("rate", args.rate)
        .setting("burst", args.burst)
        .setting("seconds", args.seconds)
        .setting("seed", args.seed);
    live(args, target, &needs(args), None, report).await
}

/// The day itself; reports what it was like.
async fn live(
    args: &MixedArgs,
    target: &TargetArgs,
    needs: &Needs,
    gauges: Option<&Rc<Gauges>>,
    mut report: Report,
) -> anyhow::Result<Report> {
    let target = target.open(needs).await?;
    let crew = gather(args, &target).await?;
    if gauges.is_some() {
        crew.befriend().await?;
    }
    let meter = Rc::clone(&crew.meter);
    let watching = gauges.map(|gauges| gauges.watch(&target.base));
    let (sampler, before, scraped) =
        (Sampler::start(&meter, &target), Reading::of(&target.usage).await, target.scrape().await?);
    let pace = act_out(args, &crew).await;
    crew.settle(SETTLE).await;
    let spent = Reading::of(&target.usage).await.since(&before);
    let after = target.scrape().await;
    report.series = sampler.stop();
    if let Some(watching) = watching {
        watching.abort();
    }
    report.failures.extend(pace.fell_behind());
    account_for(args, &crew, &spent, &mut report);
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    report.figure("not begun", pace.left_out().len() as f64, "though due");
    if let Some(after) = report.take_in(after) {
        engine_figures(&scraped, &after, crew.watch.changes(), &mut report);
    }
    let compared = crew.compare(&mut report).await;
    report.take_in(compared);
    report.latencies(&meter);
    crew.watch.complain_in(&mut report);
    crew.disband().await;
    report.take_in(target.close().await);
    Ok(report)
}

/// The town, and everybody in it connected.
async fn gather(args: &MixedArgs, target: &Target) -> anyhow::Result<Rc<Crew>> {
    let accounts = Accounts::on(target)?;
    let (users, rooms, size) =
        (usize::try_from(args.users)?, usize::try_from(args.rooms)?, usize::try_from(args.room_size)?);
    let town = Town::build(&accounts, users, rooms, size).await?;
    let names: Vec<&'static str> = std::iter::once("delivery").chain(ACTS.iter().map(|act| act.name)).collect();
    Crew::assemble(target, accounts, town, Meter::new(&names)).await
}

/// How the acts went. Too many that had to come later are a failure: little was done of what was asked for.
#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
fn account_for(args: &MixedArgs, crew: &Crew, spent: &Spent, report: &mut Report) {
    let (tally, acts) = (&crew.tally, crew.meter.sent.get() as f64);
    report.figure("acts", acts / spent.seconds, "a second");
    report.cpu(spent, acts, "act");
    report.figure("done", tally.done.get() as f64, "");
    report.figure("refused", tally.refused.get() as f64, "as they should be");
    report.figure("nothing to do", tally.nothing.get() as f64, "");
    let fields = tally.fields.borrow().len();
    report.figure("fields sent", fields as f64, &format!("of {} that clients can send", fields_in_all()));
    report.figure("told to come later", tally.later.get() as f64, "");
    report.figure("away", tally.away.get() as f64, "while their device was not connected");
    report.figure("told of spaces", crew.watch.space_news() as f64, "frames");
    report.figure("told of changes", crew.watch.changes() as f64, "of messages, to all devices");
    report.figure("ended by the engine", crew.watch.ends() as f64, "connections");
    let put_off = (tally.later.get() + tally.away.get()) as f64 / acts.max(1.0) * 100.0;
    if put_off > args.later_max {
        report.fail(format!("{put_off:.1} % of all acts were told to come later, or away: more than --later-max"));
    }
}

fn engine_figures(before: &Scrape, after: &Scrape, told_of_changes: u64, report: &mut Report) {
    report.figure("messages committed", after.growth(before, "parlance_messages_committed_total"), "");
    report.figure("events committed", after.growth(before, "parlance_events_committed_total"), "");
    for (name, kind) in [("of them edits", "message.edited"), ("of them deletions", "message.deleted")] {
        let made = after.growth(before, &format!("parlance_message_changes_total{{kind=\"{kind}\"}}"));
        report.figure(name, made, "of messages");
        if made > 0.0 && told_of_changes == 0 {
            report.fail(format!("{made} × {kind}, and no device was told of a change"));
        }
    }
    report.figure("backlogs shed", after.growth(before, "parlance_lagged_total"), "");
    report.figure("short-lived frames shed", after.growth(before, "parlance_frames_shed_total"), "");
}

/// Lets everybody act for as long as was asked for; the pace at which they were to.
async fn act_out(args: &MixedArgs, crew: &Rc<Crew>) -> Pace {
    let progress = Progress::of_run("mixed", Duration::from_secs(args.seconds));
    let mut pace = Pace::start(args.rate, Duration::from_secs(args.seconds));
    let mut random = rand::rngs::StdRng::seed_from_u64(args.seed);
    let total: u32 = ACTS.iter().map(|act| act.weight).sum();
    let mut begin = |due: Instant| {
        let drawn = draw(random.random_range(0..total));
        let who = random.random_range(0..crew.devices.len());
        crew.begin(drawn, who, due, random.next_u64());
    };
    let (begun, mut shown, mut bursts) = (Instant::now(), 0, 0);
    while let Some(due) = pace.next().await {
        if begun.elapsed() >= MINUTE * bursts {
            bursts += 1;
            (0..args.burst).for_each(|_| begin(due.at));
        }
        begin(due.at);
        if begun.elapsed().as_secs() > shown {
            shown = begun.elapsed().as_secs();
            progress.set(shown, crew.how_it_goes());
        }
    }
    pace
}

/// The act at this place of all weights laid end to end.
fn draw(mut place: u32) -> usize {
    for (index, Act { weight, .. }) in ACTS.iter().enumerate() {
        if place < *weight {
            return index;
        }
        place -= weight;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_can_be_drawn() {
        let total: u32 = ACTS.iter().map(|act| act.weight).sum();
        let mut drawn: Vec<usize> = (0..total).map(draw).collect();
        drawn.dedup();
        assert_eq!(drawn, (0..ACTS.len()).collect::<Vec<_>>());
    }
}
