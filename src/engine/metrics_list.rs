//! Every metric of the engine with its meaning.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Every metric with its meaning; those that are watched begin at zero.
pub fn describe() {
    describe_own_metrics();
    #[cfg(feature = "heap-profile")]
    describe_heap();
    crate::accounts::describe_metrics();
    crate::edge::describe_metrics();
    crate::edge::health::describe_metrics();
    crate::limits::describe_metrics();
    crate::jobs::describe_metrics();
    crate::vault::describe_metrics();
    crate::messaging::edits::describe_metrics();
    metrics_process::Collector::default().describe();
    begin_at_zero();
}

#[cfg(feature = "heap-profile")]
fn describe_heap() {
    describe_gauge!("parlance_heap_bytes", Unit::Bytes, "Heap in use, in a build with heap-profile");
    describe_gauge!("parlance_heap_blocks", Unit::Count, "Allocations in use, in a build with heap-profile");
}

fn describe_own_metrics() {
    describe_gauge!(
        "parlance_engines_on_database",
        Unit::Count,
        "Engines that run on this database, this one included"
    );
    describe_counter!(
        "parlance_epoch_changes_total",
        Unit::Count,
        "How often the database was not the one that it was, so that every client read anew"
    );
    describe_gauge!("parlance_sessions", Unit::Count, "WebSocket sessions that said hello and are connected");
    describe_gauge!("parlance_sockets", Unit::Count, "Open WebSocket connections, greeted or not");
    describe_counter!("parlance_frames_in_total", Unit::Count, "WebSocket messages received from clients");
    describe_counter!("parlance_frames_out_total", Unit::Count, "WebSocket messages sent to clients");
    describe_counter!("parlance_bytes_out_total", Unit::Bytes, "Bytes of WebSocket messages sent to clients");
    describe_counter!(
        "parlance_writes_total",
        Unit::Count,
        "Writes to WebSocket connections (system calls): fewer than messages sent, as those of one moment leave together"
    );
    describe_counter!(
        "parlance_lagged_total",
        Unit::Count,
        "Backlogs replaced by room.lagged because a socket was slow"
    );
    describe_counter!(
        "parlance_frames_shed_total",
        Unit::Count,
        "Short-lived frames dropped because a socket was slow or a hub behind, by class: typing, presence, receipt"
    );
    describe_counter!("parlance_closes_total", Unit::Count, "Sockets closed by the engine, by close code");
    describe_counter!("parlance_messages_committed_total", Unit::Count, "Messages committed to Postgres");
    describe_counter!("parlance_events_committed_total", Unit::Count, "Durable events other than messages committed");
    describe_histogram!("parlance_flush_rows", Unit::Count, "Rows in one commit");
    describe_histogram!("parlance_flush_seconds", Unit::Seconds, "Time of one commit, retries included");
    describe_gauge!("parlance_write_queue_rows", Unit::Count, "Rows waiting for their commit, by shard");
    describe_counter!("parlance_write_retries_total", Unit::Count, "Commits tried again because Postgres was away");
    describe_counter!(
        "parlance_writes_fenced_total",
        Unit::Count,
        "Writes refused because another owner moved the room on"
    );
    describe_counter!("parlance_invitations_total", Unit::Count, "Invitations of strangers, by what became of them");
    describe_gauge!("parlance_rooms_open", Unit::Count, "Rooms with an actor in memory");
    describe_counter!("parlance_actor_restarts_total", Unit::Count, "Actors started again after a panic, by actor");
    describe_gauge!(
        "parlance_actors_stuck",
        Unit::Count,
        "Actors that have answered nothing for supervision.stuck_after_ms, by actor"
    );
    describe_counter!(
        "parlance_sends_refused_total",
        Unit::Count,
        "Messages between actors refused because a mailbox was full or gone, by actor"
    );
    describe_histogram!("parlance_request_seconds", Unit::Seconds, "HTTP request latency by method, route and status");
    describe_histogram!("parlance_post_seconds", Unit::Seconds, "From a message reaching its room to its commit");
    describe_histogram!("parlance_hello_seconds", Unit::Seconds, "From a hello that was accepted to its ready");
    describe_counter!("parlance_storage_reads_total", Unit::Count, "Reads of Postgres, by what they are for");
    describe_gauge!("parlance_recent_entries", Unit::Count, "What is kept of Postgres in memory, by what it is of");
    describe_counter!(
        "parlance_recent_lookups_total",
        Unit::Count,
        "Lookups in what is kept of Postgres in memory, by what it is of and whether it was there"
    );
    describe_gauge!("parlance_changes_heard", Unit::Count, "1 while the engine hears of changes in Postgres, else 0");
    describe_counter!("parlance_postgres_restarts_total", Unit::Count, "Times the embedded Postgres was started again");
    describe_counter!(
        "parlance_log_lines_dropped_total",
        Unit::Count,
        "Log lines that standard error did not take: a full disk, or a reader that ended or is too slow"
    );
}

/// What is watched is there from the start: an alert on something that has not happened yet has something to look at.
fn begin_at_zero() {
    for name in [
        "parlance_frames_in_total",
        "parlance_frames_out_total",
        "parlance_bytes_out_total",
        "parlance_writes_total",
        "parlance_lagged_total",
        "parlance_messages_committed_total",
        "parlance_events_committed_total",
        "parlance_write_retries_total",
        "parlance_writes_fenced_total",
        "parlance_postgres_restarts_total",
        "parlance_epoch_changes_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    for name in ["parlance_sessions", "parlance_sockets", "parlance_rooms_open", "parlance_changes_heard"] {
        metrics::gauge!(name).set(0.0);
    }
    for grade in crate::publish::Grade::ALL {
        metrics::counter!("parlance_frames_shed_total", "class" => grade.as_str()).increment(0);
    }
    for what in ["made", "accepted", "declined"] {
        metrics::counter!("parlance_invitations_total", "what" => what).increment(0);
    }
    for node in crate::tree::TREE {
        metrics::counter!("parlance_actor_restarts_total", "actor" => node.actor).increment(0);
        metrics::counter!("parlance_sends_refused_total", "actor" => node.actor).increment(0);
        metrics::gauge!("parlance_actors_stuck", "actor" => node.actor).set(0);
    }
    for close in crate::wire::close::CLOSE_CODES {
        metrics::counter!("parlance_closes_total", "code" => close.code.to_string()).increment(0);
    }
}

#[cfg(test)]
#[path = "metrics_list_tests.rs"]
mod tests;
