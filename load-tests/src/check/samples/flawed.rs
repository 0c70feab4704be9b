//! The flaws that show while messages are posted.

use super::{GUEST, LAZY, RESUMED_MAX, Teller, UNLUCKY, body, id, kept, message, refused};
use crate::check::flaws::Flaw;
use crate::check::history::{Body, Change, ComingBack, Fact, Kept, Marks, NOWHERE, Record, SendNo, Who};

impl Teller {
    pub(super) fn flawed_post(&mut self, send: SendNo) {
        let by = 0;
        let next = self.log.len() as u64 + 1;
        match self.flaw {
            Some(Flaw::LostMessage) => {
                self.sent(by, send);
                self.acked(by, send, next);
            }
            Some(Flaw::DoubledMessage) => {
                self.post(send);
                self.append(message(by, send));
                self.deliver();
            }
            Some(Flaw::OneIdForTwoMessages) => {
                self.post_as(by, send, Kept { id: id(send - 1), ..kept(by, send) });
            }
            Some(Flaw::PhantomMessage) => {
                self.append(message(by, send));
                self.deliver();
            }
            Some(Flaw::ReplyForgotten) => {
                let body = Body { reply_to: None, ..*body(send) };
                self.post_as(by, send, Kept { body: Box::new(body), ..kept(by, send) });
            }
            Some(Flaw::PhantomChange) => {
                self.append(Fact::Changed { by: Some(0), change: Change::Role(UNLUCKY, "admin".to_owned()) });
                self.inside.insert(UNLUCKY, "admin".to_owned());
                self.deliver();
            }
            Some(Flaw::RefusedMessageKept) => {
                self.sent(by, send);
                self.failed(by, send, "engine.busy", false);
                self.append(message(by, send));
                self.deliver();
            }
            Some(Flaw::WrongAcknowledgement) => {
                self.sent(by, send);
                self.append(message(by, send));
                self.acked(by, send, next + 1);
                self.deliver();
            }
            Some(Flaw::OvertakenMessage) => {
                let later = send + 1_000;
                self.sent(by, send);
                self.acked(by, send, next + 1);
                self.sent(by, later);
                self.append(message(by, later));
                self.append(message(by, send));
                self.acked(by, later, next);
                self.deliver();
            }
            Some(Flaw::MemberRefused) => self.refused(by, send, "chat.room_not_found"),
            Some(Flaw::RefusedForNoGoodReason) => self.refused(GUEST, send, "chat.content_too_large"),
            Some(Flaw::WipedTopic) => {
                let name = Some("wiped".to_owned());
                self.asked_and_granted(&Change::Name("wiped".to_owned()));
                self.append(Fact::Described { by: Some(0), name: name.clone(), topic: None });
                (self.name, self.topic) = (name, None);
                self.deliver();
            }
            Some(Flaw::ForgottenChange) => {
                self.asked_and_granted(&Change::Role(UNLUCKY, "guest".to_owned()));
            }
            Some(Flaw::ReorderedForAReader | Flaw::GapForAReader) => self.misdeliver(send),
            _ => {
                self.post(send);
                self.flaw_after_post(next);
                self.flawed_change(send);
            }
        }
    }

    /// A message that is kept otherwise than it was sent.
    fn post_as(&mut self, by: Who, send: SendNo, kept: Kept) {
        self.sent(by, send);
        let id = kept.id;
        let seq = self.append(Fact::Message(kept));
        self.note(Record::Acked { by, send, seq, id });
        self.deliver();
    }

    /// Flaws that happen to a message which is kept as it should be.
    fn flaw_after_post(&mut self, seq: u64) {
        let frame = self.frame(seq);
        match self.flaw {
            Some(Flaw::RepetitionForAReader) => self.saw(UNLUCKY, seq, frame, None),
            Some(Flaw::WrongFrameWhileBehind) => self.came(UNLUCKY, seq, frame + 1),
            Some(Flaw::ReadersDisagree) => self.came(0, seq, frame + 1),
            Some(Flaw::StrangerIsSentWhileBehind) => self.came(GUEST, seq, frame),
            Some(Flaw::FrameOfAForeignRoom) => {
                let what = "message.posted of a room that is not theirs".to_owned();
                self.note_in(NOWHERE, Record::Leaked { to: UNLUCKY, what });
            }
            Some(Flaw::UnansweredCommand) => {
                let what = "1 command without an answer".to_owned();
                self.note_in(NOWHERE, Record::Misanswered { by: UNLUCKY, what });
            }
            Some(Flaw::ForgottenOnComingBack) => self.came_back(UNLUCKY, seq, ComingBack::Forgotten),
            Some(Flaw::ResumedFromNowhere) => self.came_back(UNLUCKY, seq + 1_000, ComingBack::GoesOn),
            Some(Flaw::MemberIsNotResumed) => self.came_back(UNLUCKY, seq, refused("not_a_member", 0)),
            Some(Flaw::CalledAhead) => self.came_back(UNLUCKY, seq, refused("ahead", 0)),
            Some(Flaw::CalledOfAnotherLog) => self.came_back(UNLUCKY, seq, refused("epoch", 0)),
            Some(Flaw::CalledTooMany) => self.came_back(UNLUCKY, seq, refused("too_many", RESUMED_MAX - 1)),
            Some(Flaw::StrangerIsToldOfMarks) => self.told(GUEST, 0, Marks { delivered: 1, read: 1 }),
            Some(Flaw::InventedMark) => self.told(UNLUCKY, LAZY, Marks { delivered: seq, read: seq }),
            Some(Flaw::StrangerSees) => self.saw(GUEST, self.shown[&GUEST] + 1, frame, None),
            Some(Flaw::ShrinkingReadMark) => {
                for read in [seq, seq - 1] {
                    self.note(Record::Marking { by: 0, marks: Marks { delivered: seq, read } });
                    self.told(UNLUCKY, 0, Marks { delivered: seq, read });
                }
            }
            Some(Flaw::RemovedReadsAPage) => {
                let (asked, seq) = (self.entries.len() as u64, self.shown[&GUEST] + 1);
                let frame = self.frame(seq);
                self.saw(GUEST, seq, frame, Some(asked));
            }
            _ => {}
        }
    }

    /// A message reaches one reader too late, or never.
    fn misdeliver(&mut self, send: SendNo) {
        let first = self.log.len() as u64 + 1;
        let before = self.shown.insert(UNLUCKY, u64::MAX);
        self.post(send);
        self.post(send + 2_000);
        let late = if self.is(Flaw::GapForAReader) { vec![first + 1] } else { vec![first + 1, first] };
        for seq in late {
            let frame = self.frame(seq);
            self.saw(UNLUCKY, seq, frame, None);
        }
        debug_assert_eq!(before, Some(first - 1));
        self.shown.insert(UNLUCKY, first + 1);
    }
}
