//! From the history of a run to its report: what was done, what was proved, and the smallest history of what was not.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context;

use super::CheckArgs;
use super::checker::{Violation, check};
use super::history::{History, Record};
use super::nemesis::{Fault, FaultKind};
use super::shrink::shrink;
use super::world::World;
use super::worth::Worth;
use crate::report::Report;

/// Broken laws that are shown with their smallest history.
const SHOWN_MAX: usize = 5;

/// What a run leaves.
pub struct Run<'a> {
    pub seed: u64,
    /// The command that repeats it.
    pub again: String,
    pub plan: &'a [Fault],
    pub history: &'a History,
    /// Whether it was read in the end how every room is; else nothing can be proved.
    pub complete: bool,
    /// What did not come to its end, or not in time.
    pub troubles: Vec<String>,
}

/// Checks the history and says what it proves.
pub fn conclude(args: &CheckArgs, world: &World, run: Run<'_>) -> Report {
    let Run { seed, again, plan, history, complete, troubles } = run;
    let mut report = Report::of("check")
        .setting("seed", seed)
        .setting("seconds", args.seconds)
        .setting("users", args.users)
        .setting("rooms", args.rooms)
        .setting("rate", args.rate)
        .setting("every", format!("{} s", args.every));
    if !args.faults.is_empty() {
        report = report.setting("faults", args.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    }
    report.schedule = plan.iter().map(ToString::to_string).collect();
    let (tally, done) = (&world.tally, world.done.borrow());
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    report.figure("faults", done.len() as f64, &format!("done of {} planned", plan.len()));
    let figures = [
        ("sends", &tally.sent, "tries"),
        ("acknowledged", &tally.acked, "answers"),
        ("told to come again", &tally.again, "answers"),
        ("of them as busy", &tally.busy, "answers"),
        ("refused", &tally.refused, "answers"),
        ("edits and deletions", &tally.revised, "acknowledged"),
        ("of messages of others", &tally.unrevised, "refused, or too late"),
        ("changes of rooms", &tally.changes, "granted"),
        ("events shown", &tally.shown, "to all readers"),
        ("connections", &tally.connections, ""),
        ("closed by the engine", &tally.closed_by_engine, "connections"),
        ("read anew", &tally.not_resumed, "rooms that were not resumed"),
        ("backlogs replaced", &tally.lagged, "room.lagged"),
        ("catch-up pages", &tally.pages, "asked for"),
        ("read marks", &tally.marks, "acknowledged"),
    ];
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    for (name, count, unit) in figures {
        report.figure(name, count.get() as f64, unit);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of a run")]
    report.figure("records checked", history.entries.len() as f64, "");
    report_mailboxes(&mut report, world);
    troubles.into_iter().for_each(|trouble| report.fail(trouble));
    if complete {
        explain(&mut report, history, &check(history));
        let lacks = worth(plan, &done, world, history).lacks();
        lacks.into_iter().for_each(|lack| report.fail(lack));
    }
    if !report.failures.is_empty() {
        report.fail(format!("the same schedule again: {again}"));
    }
    report
}

/// How often the engine's bounds were met.
fn report_mailboxes(report: &mut Report, world: &World) {
    let full = world.mailboxes_full.borrow();
    let met: Vec<String> =
        full.iter().filter(|(_, times)| **times > 0.0).map(|(actor, times)| format!("{actor} {times:.0}")).collect();
    report.figure("refused by mailboxes", full.values().sum(), &met.join(", "));
}

fn worth<'a>(plan: &'a [Fault], done: &'a [FaultKind], world: &World, history: &History) -> Worth<'a> {
    let count = |is_it: fn(&Record) -> bool| history.entries.iter().filter(|entry| is_it(&entry.record)).count() as u64;
    Worth {
        planned: plan,
        done,
        written: world.tally.written.get(),
        settled: world.tally.settled.get(),
        denied: world.tally.denied.get(),
        revising: count(|record| matches!(record, Record::Revising { .. })),
        revised: world.tally.revised.get(),
        changes_asked: count(|record| matches!(record, Record::Asked { .. })),
        changes_granted: count(|record| matches!(record, Record::Granted { .. })),
        marked: count(|record| matches!(record, Record::Marked { .. })),
        told: count(|record| matches!(record, Record::Told { .. })),
    }
}

/// Each broken law once, with the smallest history that shows it.
fn explain(report: &mut Report, history: &History, violations: &[Violation]) {
    let mut shown: Vec<&Violation> = Vec::new();
    for violation in violations {
        if shown.iter().all(|other| other.invariant != violation.invariant) {
            shown.push(violation);
        }
    }
    let alike =
        |violation: &Violation| violations.iter().filter(|other| other.invariant == violation.invariant).count();
    for violation in shown.iter().take(SHOWN_MAX) {
        let lines: Vec<String> = shrink(history, violation)
            .iter()
            .map(|entry| format!("    {}", serde_json::to_string(entry).unwrap_or_default()))
            .collect();
        report.fail(format!("{violation} ({} of this kind)\n{}", alike(violation), lines.join("\n")));
    }
    // To make a history small takes its time; to name what is broken does not.
    for violation in shown.iter().skip(SHOWN_MAX) {
        report.fail(format!("{violation} ({} of this kind)", alike(violation)));
    }
}

/// Writes everything that was recorded, a line each.
pub fn keep(history: &History, file: &Path) -> anyhow::Result<()> {
    let write = || -> anyhow::Result<()> {
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        serde_json::to_writer(&mut out, &history.cast)?;
        for entry in &history.entries {
            writeln!(out)?;
            serde_json::to_writer(&mut out, entry)?;
        }
        Ok(out.flush()?)
    };
    write().with_context(|| format!("writing {}", file.display()))
}
