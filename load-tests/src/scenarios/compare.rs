//! `compare`: the engine and the baselines alternately, on the same machine in the same minutes, and their ratios.
//!
//! Ratios, because a machine that is shared or throttled slows both; the spread says how much to believe. Every other
//! round begins with the baseline, so that neither always runs on the machine that the other has warmed or worn.

use clap::Args;

use super::chatter::{self, ChatterArgs};
use super::fanout::{self, FanoutArgs};
use crate::baseline::postgres::{self, PostgresArgs};
use crate::baseline::socket::Broadcaster;
use crate::client::Accounts;
use crate::engine::{Needs, Target, TargetArgs, UsageSource};
use crate::measure::{RATES_OR_NONE, within};
use crate::report::{Report, number};

#[derive(Args, Clone, Debug)]
pub struct CompareArgs {
    /// Times that each is run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Seconds of each run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
    /// Listeners of the fan-out
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub listeners: u32,
    /// Messages in flight, one comparison each
    #[arg(long, value_delimiter = ',', default_value = "1,8,64",
        value_parser = clap::value_parser!(u32).range(1..=500))]
    pub in_flight: Vec<u32>,
    /// Messages a second of the chatter, in rooms of 10; 0 leaves it out
    #[arg(long, default_value_t = 5_000.0, value_parser = within(RATES_OR_NONE), allow_negative_numbers = true)]
    pub chatter_rate: f64,
    /// Users of the chatter
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(10..=50_000))]
    pub chatter_users: u32,
}

/// Members of a room of the chatter.
const CHATTER_ROOM: u32 = 10;

/// What its parts need; a part that is left out needs nothing.
pub fn needs(args: &CompareArgs) -> Needs {
    // The same person makes the room of the one and a room of the other.
    let listeners = args.listeners + CHATTER_ROOM;
    let fanouts = if args.in_flight.is_empty() { Needs::default() } else { fanout::needs(listeners) };
    fanouts.and(chatter::needs(&chatter_of(args)))
}

fn chatter_of(args: &CompareArgs) -> ChatterArgs {
    let (users, rate, seconds) = (args.chatter_users, args.chatter_rate, args.seconds);
    ChatterArgs { users, room_size: CHATTER_ROOM, rate, bytes: 100, seconds, warm_up: 2 }
}

pub async fn run(args: &CompareArgs, target_args: &TargetArgs) -> anyhow::Result<Report> {
    let target = target_args.open(&needs(args)).await?;
    anyhow::ensure!(
        matches!(target.usage, UsageSource::Process(_)),
        "compare needs the engine's CPU to a fraction of a second, which only /proc tells: give its --pid"
    );
    anyhow::ensure!(
        args.chatter_rate == 0.0 || !target.usage.usage().await.postgres.cpu_seconds.is_nan(),
        "the engine has no Postgres below it, whose CPU the chatter counts: leave that out with --chatter-rate 0"
    );
    let accounts = Accounts::on(&target)?;
    let mut report = Report::of("compare")
        .setting("rounds", args.rounds)
        .setting("seconds", args.seconds)
        .setting("listeners", args.listeners)
        .setting("in flight", args.in_flight.iter().map(u32::to_string).collect::<Vec<_>>().join(","))
        .setting("chatter rate", args.chatter_rate)
        .setting("chatter users", args.chatter_users);
    fanouts(args, &target, &accounts, &mut report).await?;
    if args.chatter_rate > 0.0 {
        chatters(args, &target, &accounts, &mut report).await?;
    }
    report.take_in(target.close().await);
    Ok(report)
}

async fn fanouts(args: &CompareArgs, target: &Target, accounts: &Accounts, report: &mut Report) -> anyhow::Result<()> {
    if args.in_flight.is_empty() {
        return Ok(());
    }
    let people = accounts.people(usize::try_from(args.listeners)?).await?;
    let room = accounts.group(&people).await?;
    let venue = fanout::Venue {
        address: target.address,
        room,
        people: people.clone(),
        usage: target.usage.clone(),
        base: Some(target.base.clone()),
    };
    let broadcaster = Broadcaster::start().await?;
    for in_flight in &args.in_flight {
        let (listeners, seconds) = (args.listeners, args.seconds);
        let work = FanoutArgs { listeners, in_flight: *in_flight, bytes: 100, seconds, warm_up: 1 };
        let (mut ratios, mut engines, mut baselines, mut rates) = <(Spread, Spread, Spread, Spread)>::default();
        for round in 0..args.rounds {
            let ours = fanout::drive(&work, &venue, Report::of("fanout"));
            let (mut engine, baseline) = alternately(round, ours, broadcaster.fanout(&work)).await?;
            adopt(report, &mut engine, &baseline);
            if !report.failures.is_empty() {
                // It ended before its time, and has no figures to compare.
                return Ok(());
            }
            let (cost, ceiling) = (engine.needed("server CPU")?, baseline.needed("server CPU")?);
            ratios.add(cost / ceiling);
            engines.add(cost);
            baselines.add(ceiling);
            rates.add(engine.needed("deliveries")?);
        }
        let about = |what: &str| format!("fan-out, {in_flight} in flight: {what}");
        ratios.into_report(report, &about("engine / baseline"), "× CPU a delivery");
        engines.into_report(report, &about("engine"), "µs a delivery");
        baselines.into_report(report, &about("baseline"), "µs a delivery");
        rates.into_report(report, &about("deliveries"), "a second");
    }
    Ok(())
}

async fn chatters(args: &CompareArgs, target: &Target, accounts: &Accounts, report: &mut Report) -> anyhow::Result<()> {
    let work = chatter_of(args);
    let ChatterArgs { users, rate, seconds, .. } = work;
    let venue = chatter::gather(&work, target, accounts).await?;
    let broadcaster = Broadcaster::start().await?;
    let (mut ratios, mut engines, mut sockets, mut rows) = <(Spread, Spread, Spread, Spread)>::default();
    let mut batches = Spread::default();
    for round in 0..args.rounds {
        let ours = async { Ok(chatter::drive(&work, &venue, Report::of("chatter")).await?.strictly()) };
        let (mut engine, socket) = alternately(round, ours, broadcaster.chatter(&work)).await?;
        adopt(report, &mut engine, &socket);
        // How many rows share a commit depends on the disk of that second, and decides what a row costs: the median of
        // the rounds so far, so that one odd round does not choose what it is compared with.
        batches.add(engine.needed("rows a commit")?);
        let batch = batches.median().clamp(1.0, 10_000.0);
        let inserts = PostgresArgs { batch, rate, rooms: users.div_ceil(10), bytes: 100, seconds };
        let postgres = postgres::run(&inserts).await?;
        let cost = engine.needed("server CPU")? + engine.needed("Postgres CPU")?;
        let row = postgres.needed("Postgres CPU")? + postgres.needed("client CPU")?;
        let socket = socket.needed("server CPU")?;
        ratios.add(cost / (row + socket));
        engines.add(cost);
        sockets.add(socket);
        rows.add(row);
    }
    let about = |what: &str| format!("chatter, {rate} a second: {what}");
    ratios.into_report(report, &about("engine / baselines"), "× CPU a message");
    engines.into_report(report, &about("engine and Postgres"), "µs a message");
    sockets.into_report(report, &about("socket baseline"), "µs a message");
    rows.into_report(report, &about("Postgres baseline"), "µs a message");
    Ok(())
}

/// Both, one after the other; in every other round the second one first.
async fn alternately<T>(
    round: u32,
    engine: impl Future<Output = anyhow::Result<T>>,
    baseline: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(T, T)> {
    if round.is_multiple_of(2) {
        let engine = engine.await?;
        Ok((engine, baseline.await?))
    } else {
        let baseline = baseline.await?;
        Ok((engine.await?, baseline))
    }
}

/// What went wrong in either, and the seconds of the engine: a chart has one line for the program under load.
fn adopt(report: &mut Report, engine: &mut Report, baseline: &Report) {
    report.go_on(std::mem::take(&mut engine.series));
    for failed in [&*engine, baseline] {
        report.failures.extend(failed.failures.iter().map(|failure| format!("{}: {failure}", failed.scenario)));
    }
}

/// One figure over all rounds.
#[derive(Default)]
struct Spread(Vec<f64>);

impl Spread {
    /// Keeps them in order.
    fn add(&mut self, value: f64) {
        self.0.insert(self.0.partition_point(|known| known.total_cmp(&value).is_lt()), value);
    }

    fn into_report(self, report: &mut Report, name: &str, unit: &str) {
        let (Some(least), Some(most)) = (self.0.first(), self.0.last()) else { return };
        report.figure(name, self.median(), &format!("{unit} ({} to {})", number(*least), number(*most)));
    }

    fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        let at = |index: usize| self.0.get(index).copied().unwrap_or_default();
        if self.0.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        let median = |values: &[f64]| {
            let mut spread = Spread::default();
            values.iter().for_each(|value| spread.add(*value));
            spread.median()
        };
        assert_eq!([median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 3.0, 2.0]), median(&[])], [2.0, 2.5, 0.0]);
    }

    #[tokio::test]
    async fn every_other_round_begins_with_the_baseline() {
        let order = std::cell::RefCell::new(Vec::new());
        let run = async |name| {
            order.borrow_mut().push(name);
            Ok(name)
        };
        for round in 0..2 {
            assert_eq!(alternately(round, run("engine"), run("baseline")).await.unwrap(), ("engine", "baseline"));
        }
        assert_eq!(order.take(), ["engine", "baseline", "baseline", "engine"]);
    }
}
