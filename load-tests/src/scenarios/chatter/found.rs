//! What a run of chatter came to.

use super::ChatterArgs;
use super::flow::{Counts, Flow};
use crate::measure::Spent;
use crate::report::Report;

/// A report without a verdict: how much is too much depends on who asks.
pub struct Found {
    pub report: Report,
    /// What must not happen at any rate: something was lost, doubled, or out of order.
    pub wrong: Vec<String>,
    /// Messages that the engine was too busy to take.
    pub refused: u64,
    /// Backlogs that it shed because a reader was too slow.
    pub shed: u64,
    /// The generator did not send what was due.
    pub behind: Option<String>,
    /// Sent and delivered while it counted.
    pub counts: Counts,
}

impl Found {
    /// For a run whose rate the engine should have taken: nothing of it may have happened.
    pub fn strictly(self) -> Report {
        let mut report = self.report;
        report.failures.extend(self.wrong);
        if self.refused > 0 {
            report.fail(format!("{} messages were refused: --rate is beyond what this engine takes", self.refused));
        }
        if self.shed > 0 {
            report.fail(format!("{} backlogs were shed: the generator read too slowly", self.shed));
        }
        report.failures.extend(self.behind);
        report
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a run")]
pub fn conclude(args: &ChatterArgs, report: Report, flow: &Flow, spent: &Spent, counts: Counts) -> Found {
    let mut report = report
        .setting("users", args.users)
        .setting("room size", args.room_size)
        .setting("rate", args.rate)
        .setting("bytes", args.bytes)
        .setting("seconds", args.seconds)
        .setting("warm-up", args.warm_up);
    let messages = counts.delivered;
    report.figure("messages sent", counts.sent as f64 / spent.seconds, "a second");
    report.figure("messages delivered", messages / spent.seconds, "a second");
    report.figure("deliveries", counts.received as f64 / spent.seconds, "a second");
    report.cpu(spent, messages, "message");
    let cores = (spent.usage.engine.cpu_seconds + spent.usage.postgres.cpu_seconds) / spent.seconds;
    report.figure("server and Postgres", cores, "cores");
    let refused = flow.meter.refused.get();
    report.figure("refused", refused as f64, "messages");
    report.latencies(&flow.meter);
    Found { report, wrong: wrong(flow), refused, shed: flow.shed.get(), behind: None, counts }
}

fn wrong(flow: &Flow) -> Vec<String> {
    let mut wrong: Vec<String> = flow.meter.faults().into_iter().collect();
    let (lacking, unasked) = flow.uneven();
    if lacking > 0 {
        wrong.push(format!("in {lacking} rooms somebody lacks a message that was acknowledged or that others have"));
    }
    if unasked > 0 {
        wrong.push(format!("in {unasked} rooms there are more messages than were sent"));
    }
    if flow.unanswered() > 0 {
        wrong.push(format!("{} messages were not answered", flow.unanswered()));
    }
    wrong
}
