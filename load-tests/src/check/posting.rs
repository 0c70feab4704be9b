//! Posting a message, over both ways in, and what its answer means. All of it is noted.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;

use super::drafts::Draft;
use super::history::{NOWHERE, Record, RoomNo, SendNo, Who};
use super::world::{Outcome, Tally, World, says_undone};

/// Nobody waits longer for the next answer, whatever goes wrong meanwhile, while their connection works.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// What an answer means for its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Acknowledged with this id.
    Kept(Uuid),
    /// An edit or a deletion is done.
    Made,
    /// Refused for good.
    Denied,
    Again(Duration),
}

/// An answer that is an error.
pub struct Failure<'a> {
    pub code: &'a str,
    /// It says that nothing was done.
    pub undone: bool,
    pub for_good: bool,
    /// When to come again.
    pub after: Duration,
}

impl<'a> Failure<'a> {
    /// Of a frame.
    pub fn of(frame: &'a Value) -> Self {
        let code = frame.get("code").and_then(Value::as_str).unwrap_or_default();
        let for_good = frame.get("retry").is_some_and(|retry| retry == "never");
        let after = frame.get("retry_after_ms").and_then(Value::as_u64).unwrap_or(10);
        Self { code, undone: for_good || says_undone(code), for_good, after: Duration::from_millis(after.max(10)) }
    }
}

impl World {
    /// Notes that a message leaves.
    pub fn note_try(&self, by: Who, send: SendNo, draft: &Draft) {
        Tally::count(&self.tally.sent);
        self.recorder.note(draft.room, Record::Sent { by, send, body: Box::new(draft.body()) });
    }

    /// Notes the answer to a `message.post` to `room`.
    pub fn note_answer(&self, by: Who, send: SendNo, room: RoomNo, frame: &Value) -> Answered {
        let said = frame.get("room_id").and_then(|id| self.numbers().room(id));
        if frame.get("type").is_some_and(|kind| kind == "ok") {
            // An acknowledgement that names another room is one of a message that is not there.
            let room = said.unwrap_or(room);
            return self.note_ack(room, by, send, frame.get("seq"), frame.get("message_id"));
        }
        let failure = Failure::of(frame);
        self.note_failure(room, by, send, &failure);
        if failure.for_good { Answered::Denied } else { Answered::Again(failure.after) }
    }

    /// Notes commands that were never answered, though their connection worked.
    pub fn note_unanswered(&self, by: Who, commands: usize) {
        let what = format!("{commands} commands without an answer within {} s", ANSWERED_WITHIN.as_secs());
        self.recorder.note(NOWHERE, Record::Misanswered { by, what });
    }

    /// Notes an answer to a command that had one already, or that nobody sent.
    pub fn note_answered_again(&self, by: Who, frame: &Value) {
        let what = format!("one answer too many: {frame}");
        self.recorder.note(NOWHERE, Record::Misanswered { by, what });
    }

    fn note_ack(&self, room: RoomNo, by: Who, send: SendNo, seq: Option<&Value>, id: Option<&Value>) -> Answered {
        Tally::count(&self.tally.acked);
        let seq = seq.and_then(Value::as_u64).unwrap_or(0);
        let id = id.and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok()).unwrap_or_default();
        self.recorder.note(room, Record::Acked { by, send, seq, id });
        Answered::Kept(id)
    }

    fn note_failure(&self, room: RoomNo, by: Who, send: SendNo, failure: &Failure<'_>) {
        let Failure { code, undone, for_good, .. } = *failure;
        if for_good {
            Tally::count(&self.tally.refused);
        } else {
            self.tally.count_again(undone);
        }
        self.recorder.note(room, Record::Failed { by, send, undone, for_good, code: code.to_owned() });
    }

    /// One try over HTTP.
    pub async fn post(&self, lane: usize, by: Who, send: SendNo, draft: &Draft) -> Answered {
        self.note_try(by, send, draft);
        let Some(room) = self.room(draft.room) else { return Answered::Denied };
        let path = format!("/api/v1/rooms/{room}/messages");
        match self.call(lane, by, Method::POST, &path, Some(draft.call(send))).await {
            Outcome::Done(message) => self.note_ack(draft.room, by, send, message.get("seq"), message.get("id")),
            Outcome::Refused(code) => {
                let failure = Failure { code: &code, undone: true, for_good: true, after: Duration::ZERO };
                self.note_failure(draft.room, by, send, &failure);
                Answered::Denied
            }
            Outcome::Later { code, undone, after } => {
                self.note_failure(draft.room, by, send, &Failure { code: &code, undone, for_good: false, after });
                Answered::Again(after)
            }
            Outcome::Lost => Answered::Again(Duration::from_millis(50)),
        }
    }
}
