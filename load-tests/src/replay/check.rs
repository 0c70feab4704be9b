//! What must hold, whatever goes wrong.

use std::fmt;

/// A promise of the engine; its text is what a failure names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invariant {
    AcknowledgedIsThere,
    NoHoles,
    OnceAClientId,
    OnceAChange,
    SeenIsCommitted,
    GapFree,
    OnceADevice,
    MembersOnly,
    SameAnswer,
    MemoryIsTheLog,
    MarksOnlyGrow,
    OutboxIsBounded,
    AnsweredOnce,
    RecallIsUsed,
    NothingImpossible,
    Quiescent,
    EveryoneArrives,
    LeavingIsTold,
    ResumedOrNamed,
    PresentForm,
    SaidNoMore,
    VersionsAreTrue,
    ActedAsAnswered,
    FormsAgree,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcknowledgedIsThere => "what is acknowledged is in the log",
            Self::NoHoles => "a room's log is 1..N without a hole",
            Self::OnceAClientId => "one client id is one message",
            Self::OnceAChange => "one change is one row",
            Self::SeenIsCommitted => "what is seen is committed, and is what the log says",
            Self::GapFree => "a device sees each room without a gap",
            Self::OnceADevice => "a device sees each row once, in order",
            Self::MembersOnly => "only members see a room",
            Self::SameAnswer => "one client id has one answer",
            Self::MemoryIsTheLog => "a room in memory is what its log says",
            Self::MarksOnlyGrow => "read marks only grow",
            Self::OutboxIsBounded => "an outbox stays within its bound",
            Self::AnsweredOnce => "every command is answered once",
            Self::RecallIsUsed => "a send that the load found is not written again",
            Self::NothingImpossible => "Postgres is asked for nothing impossible",
            Self::Quiescent => "when faults end, everything comes to rest",
            Self::EveryoneArrives => "in the end every device has every room it is in",
            Self::ResumedOrNamed => "what a device comes back to is resumed, or named with a true reason",
            Self::PresentForm => "a page tells each place in its present form",
            Self::SaidNoMore => "what was edited or deleted is told no more",
            Self::VersionsAreTrue => "what is kept of a message is what it said until then",
            Self::ActedAsAnswered => "an edit or a deletion did what its answer says",
            Self::FormsAgree => "in the end every device has each message as Postgres has it",
            Self::LeavingIsTold => "in the end every device knows which rooms it has left",
        })
    }
}

/// A broken promise.
#[derive(Clone, Debug)]
pub struct Failure {
    pub invariant: Invariant,
    pub detail: String,
}

impl Failure {
    pub fn new(invariant: Invariant, detail: impl Into<String>) -> Self {
        Self { invariant, detail: detail.into() }
    }
}
