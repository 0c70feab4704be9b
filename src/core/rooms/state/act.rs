//! Actions of features: what they find, and what they become. Pure.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{Decision, RoomState, SentKey};
use crate::order::{Row, RowBody};
use crate::rooms::action::{Scene, Target, WantedAction};
use crate::rooms::error::ChatError;
use crate::rooms::permissions::Action;
use crate::rooms::store::WriteForm;
use parlance_foundation::ids::MessageId;

/// The present form of a message, as far as memory knows.
enum Form {
    Known(Arc<Row>),
    /// Postgres has it.
    Unknown,
}

impl RoomState {
    /// What an action becomes at this place of the order.
    pub fn decide_action(
        &self,
        id: uuid::Uuid,
        at: DateTime<Utc>,
        wanted: &WantedAction,
    ) -> Result<Decision, ChatError> {
        let WantedAction { by, right, client_id, action, target } = wanted;
        let key = client_id.clone().map(|client_id| SentKey { by: Some(*by), is_message: false, client_id });
        if let Some(first) = key.and_then(|key| self.sent.get(&key)) {
            let is_same = self.is_repeated_by(first, action.as_ref());
            return if is_same { Ok(first.decision()) } else { Err(ChatError::KeyReused) };
        }
        // Whoever rules over a channel by their role in its space comes in before they do anything in it.
        self.require(*by, Action::Post)?;
        let role = self.acting(*by, *right, Action::Post)?;
        let message = match action.target() {
            None => None,
            Some(message) => match self.form(message, target.as_ref()) {
                Form::Known(row) => Some(row),
                Form::Unknown => return Ok(Decision::Needs(message)),
            },
        };
        let (facts, config) = (&self.facts, &*self.limits);
        let scene = Scene { facts, config, by: *by, role, id, at, target: message.as_deref() };
        let Some(mut event) = action.decide(&scene)? else {
            // What makes it so may still be on its way.
            let waits = action.target().and_then(|message| self.pending_touch(message));
            return Ok(waits.map_or(Decision::Settled(None), Decision::Waiting));
        };
        event.client_id.clone_from(client_id);
        if event.becomes.is_some() {
            event.effects.insert(0, Arc::new(WriteForm));
        }
        Ok(Decision::Write(RowBody::Event(event)))
    }

    /// The ticket of the newest change of this message that waits for its commit.
    pub fn pending_touch(&self, message: MessageId) -> Option<u64> {
        let touch = self.pending.iter().rev().find(|pending| pending.row.touches() == Some(message));
        touch.map(|pending| pending.ticket)
    }

    fn form(&self, message: MessageId, target: Option<&Target>) -> Form {
        let pending = self.pending.iter().rev().map(|pending| &pending.row);
        // As it will be once what was taken is committed; and if that never is, neither is what follows from it.
        let mut forms = pending.filter_map(|row| match row.event() {
            Some(event) => event.becomes.as_ref().filter(|form| form.id() == message.0),
            None => Some(row).filter(|row| row.id() == message.0),
        });
        if let Some(row) = forms.next() {
            return Form::Known(Arc::clone(row));
        }
        if let Some(row) = self.window.row(message.0) {
            return Form::Known(Arc::clone(row));
        }
        let known_after = self.window.first_seq().map_or(self.committed_seq, |first| first - 1);
        let newest = self.window.newest_touch(message).map_or(known_after, |row| row.seq);
        match target.filter(|target| target.as_of >= newest) {
            Some(target) => Form::Known(Arc::clone(&target.row)),
            None => Form::Unknown,
        }
    }
}
