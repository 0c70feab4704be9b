//! Edits and deletions in the made-up rooms, right and flawed.

use super::ending::time;
use super::{GUEST, Teller, UNLUCKY, id, kept};
use crate::check::flaws::Flaw;
use crate::check::history::{Fact, Form, Kept, Record, SendNo, Text, Who, digest};

/// The numbers of edits and deletions lie behind those of messages.
const CHANGES: SendNo = 5_000;

impl Teller {
    /// What is changed after the message `send`: in the right history all of it, whatever the flaw.
    pub(super) fn change_messages(&mut self, send: SendNo) {
        match send {
            12 => self.edit(send, 11),
            13 => {
                // A lost answer: asked for again, and done once.
                self.revising(1, CHANGES + send, 11, true);
                self.edit(send, 11);
            }
            22 => self.delete(0, send, 21),
            33 => self.delete(1, send, 31),
            34 => self.edit(send, 33),
            36 => {
                // Rightly refused: somebody else's.
                self.revising(1, CHANGES + send, 30, true);
                self.unrevised(1, CHANGES + send, "message.not_yours");
            }
            48 => {
                self.edit(send, 48);
                self.delete(0, send + 100, 48);
            }
            _ => {}
        }
    }

    /// Its author has a message say something else.
    fn edit(&mut self, number: SendNo, of: SendNo) {
        let (by, send) = (author(of), CHANGES + number);
        self.revising(by, send, of, true);
        let seq = self.edited(by, send, of);
        self.revised(by, send, seq);
        self.deliver();
    }

    fn delete(&mut self, by: Who, number: SendNo, of: SendNo) {
        let send = CHANGES + number;
        self.revising(by, send, of, false);
        let seq = self.append(Fact::Deleted { by: Some(by), message: id(of) });
        let edited = |fact: &Fact| matches!(fact, Fact::Edited { message, .. } if *message == id(of));
        let edited_at = self.log.iter().rposition(edited).and_then(|at| time(at as u64 + 1));
        self.reform(of, Form { content: digest(""), parts: None, edited_at, deleted_at: time(seq) });
        self.revised(by, send, seq);
        self.deliver();
    }

    fn edited(&mut self, by: Who, send: SendNo, of: SendNo) -> u64 {
        let seq = self.append(Fact::Edited { by: Some(by), message: id(of) });
        let form = Form { content: text(send).content, parts: None, edited_at: time(seq), deleted_at: None };
        self.reform(of, form);
        self.says.last_mut().into_iter().for_each(|says| *says = Some(form.digest()));
        seq
    }

    /// The message is told so from here on, and earlier changes of it say nothing any more.
    fn reform(&mut self, of: SendNo, form: Form) {
        for (fact, says) in self.log.iter_mut().zip(&mut self.says) {
            match fact {
                Fact::Message(kept) if kept.id == id(of) => {
                    (kept.body.content, kept.body.parts, kept.says) = (form.content, form.parts, form.digest());
                    *says = Some(kept.says);
                }
                fact if fact.changes() == Some(id(of)) => *says = None,
                _ => {}
            }
        }
    }

    pub(super) fn says(&self, seq: u64) -> Option<u64> {
        self.says.get(usize::try_from(seq.checked_sub(1)?).ok()?).copied().flatten()
    }

    fn revising(&mut self, by: Who, send: SendNo, of: SendNo, edits: bool) {
        self.note(Record::Revising { by, send, message: id(of), text: edits.then(|| text(send)) });
    }

    fn revised(&mut self, by: Who, send: SendNo, seq: u64) {
        self.note(Record::Revised { by, send, seq: Some(seq), settled: false });
    }

    fn unrevised(&mut self, by: Who, send: SendNo, code: &str) {
        self.note(Record::Unrevised { by, send, undone: true, for_good: true, code: code.to_owned() });
    }

    /// Flaws of changes, of the message `of`, which was just posted.
    pub(super) fn flawed_change(&mut self, of: SendNo) {
        let (by, send, place) = (author(of), CHANGES + of, self.log.len() as u64);
        let old = self.says(place);
        match self.flaw {
            Some(Flaw::LostEdit) => {
                self.revising(by, send, of, true);
                self.revised(by, send, place + 1);
            }
            Some(Flaw::DoubledEdit) => {
                self.edit(of, of);
                self.edited(by, send, of);
                self.deliver();
            }
            Some(Flaw::PhantomEdit) => {
                self.edited(by, send, of);
                self.deliver();
            }
            Some(Flaw::EditByAnother) => {
                self.revising(UNLUCKY, send, of, true);
                self.edited(UNLUCKY, send, of);
                self.deliver();
            }
            Some(Flaw::EditAfterDeletion) => {
                self.delete(by, of + 100, of);
                self.edit(of, of);
            }
            Some(Flaw::RefusedEditKept) => {
                self.revising(by, send, of, true);
                self.unrevised(by, send, "message.deleted");
                self.edited(by, send, of);
                self.deliver();
            }
            Some(Flaw::EditRefused) => {
                self.revising(by, send, of, true);
                self.unrevised(by, send, "message.not_yours");
            }
            Some(Flaw::OldFormInAPage | Flaw::OldFormOnComingBack) => {
                self.edit(of, of);
                let (asked, frame) = (self.entries.len() as u64, self.frame(place));
                let asked = self.is(Flaw::OldFormInAPage).then_some(asked);
                let said = if asked.is_some() { 0 } else { self.entries.len() as u64 };
                self.note(Record::Came { reader: UNLUCKY, seq: place, frame, says: old, asked, said });
            }
            Some(Flaw::FormOfNoEdit) => {
                let (frame, said) = (self.frame(place), self.entries.len() as u64);
                self.note(Record::Came { reader: UNLUCKY, seq: place, frame, says: Some(7), asked: None, said });
            }
            Some(Flaw::EditWithoutWords) => {
                self.edit(of, of);
                let (frame, said) = (self.frame(place + 1), self.entries.len() as u64);
                self.note(Record::Came { reader: UNLUCKY, seq: place + 1, frame, says: None, asked: None, said });
            }
            Some(Flaw::OldFormForAReader) => self.edit_unheard(of),
            Some(Flaw::OldFormInTheEnd | Flaw::OldFormInTheList | Flaw::EditLostByTheRestart) => self.edit(of, of),
            _ => {}
        }
    }

    /// One reader hears that something was edited, and not what it says; and nothing of the edit that follows.
    fn edit_unheard(&mut self, of: SendNo) {
        self.edit(of, of);
        let spoilt = self.entries.iter_mut().rev().find_map(|entry| match &mut entry.record {
            Record::Saw { reader: UNLUCKY, says, .. } => Some(says),
            _ => None,
        });
        spoilt.into_iter().for_each(|says| *says = None);
        debug_assert!(self.inside.contains_key(&UNLUCKY) && !self.inside.contains_key(&GUEST));
    }
}

/// Messages are written by the first two people in turn.
fn author(send: SendNo) -> Who {
    Who::try_from(send % 2).unwrap_or(0)
}

fn text(send: SendNo) -> Text {
    Text { content: digest(&format!("edit {send}")), parts: None }
}

/// A message as it was sent.
pub(super) fn original(now: &Kept) -> Kept {
    now.by.zip(now.send).map_or_else(|| now.clone(), |(by, send)| kept(by, send))
}
