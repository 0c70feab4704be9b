//! Rows of `messages` and `room_events`, in the engine's words.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{CoreChange, Effect};
use parlance_foundation::ids::MessageId;
use parlance_foundation::party::Party;

/// One durable change at one place in a room's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub body: RowBody,
}

/// A new message, or any other change.
#[derive(Clone, Debug, PartialEq)]
pub enum RowBody {
    Message(MessageRow),
    Event(EventRow),
}

/// The kind of the messages that the engine itself writes, and of no others.
pub const SYSTEM: &str = "system";

/// A row of `messages`.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    pub id: MessageId,
    /// `None`: the engine itself; its kind is [`SYSTEM`].
    pub sender: Option<Party>,
    pub client_id: Option<String>,
    pub kind: String,
    pub content: String,
    /// JSON text of an array, as it was sent.
    pub parts: Option<String>,
    pub reply_to: Option<MessageId>,
    pub edited_at: Option<DateTime<Utc>>,
    /// It has no content any more; its place stays.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// A row of `room_events`, and what else is written with it.
#[derive(Clone, Debug)]
pub struct EventRow {
    pub id: uuid::Uuid,
    pub kind: Cow<'static, str>,
    /// Who made the change; `None`: the engine itself.
    pub by: Option<Party>,
    /// The author's own id for the change: sent again, it is the first one.
    pub client_id: Option<String>,
    /// A JSON object, told as it stands here.
    pub payload: Arc<RawValue>,
    /// The message that is not any more what it was.
    pub touches: Option<MessageId>,
    /// What it is from here on, at its own place. Of events that are read from Postgres nothing: the message is read so.
    pub becomes: Option<Arc<Row>>,
    /// What the core itself reads in it.
    pub change: Option<CoreChange>,
    pub effects: Vec<Arc<dyn Effect>>,
}

/// What the events of one kind carry beside their place, author and time. Serialises as a JSON object.
pub trait EventPayload: Serialize {
    /// The event's `type`.
    const KIND: &'static str;
}

impl EventRow {
    /// An event with this payload, and nothing besides.
    pub fn new<T: EventPayload>(id: uuid::Uuid, by: Option<Party>, payload: &T) -> Self {
        // Our own payloads have string keys and finite numbers only: they always serialise.
        let payload = serde_json::value::to_raw_value(payload).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self {
            id,
            kind: Cow::Borrowed(T::KIND),
            by,
            client_id: None,
            payload: payload.into(),
            touches: None,
            becomes: None,
            change: None,
            effects: Vec::new(),
        }
    }
}

impl EventRow {
    /// Of an event that changes a message: what the message, which stands at `place`, is from here on.
    pub fn making(self, place: &Row, form: MessageRow) -> Self {
        let (seq, at) = (place.seq, place.at);
        let touches = Some(form.id);
        Self { touches, becomes: Some(Arc::new(Row { seq, at, body: RowBody::Message(form) })), ..self }
    }
}

impl EventRow {
    /// As it stands in the log: what was to be written with it is.
    pub fn written(&self) -> Self {
        Self { becomes: None, effects: Vec::new(), ..self.clone() }
    }

    /// As it is told once something newer has given its message another form: without what it made the message say.
    /// `None`: it said nothing. Postgres has it so, too.
    pub fn superseded(&self) -> Option<Self> {
        /// What a payload says, if it does.
        #[derive(serde::Deserialize)]
        struct Said<'a> {
            #[serde(borrow)]
            content: Option<&'a RawValue>,
        }
        let touches = self.touches?;
        serde_json::from_str::<Said<'_>>(self.payload.get()).ok()?.content?;
        let payload = RawValue::from_string(format!("{{\"message_id\":\"{touches}\"}}")).ok()?;
        Some(Self { payload: payload.into(), ..self.written() })
    }
}

/// Two rows are the same when Postgres would say so; effects are not part of what it tells.
impl PartialEq for EventRow {
    fn eq(&self, other: &Self) -> bool {
        (self.id, &self.kind, self.by, &self.client_id, self.touches)
            == (other.id, &other.kind, other.by, &other.client_id, other.touches)
            && self.payload.get() == other.payload.get()
    }
}

/// How far one member has received and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    pub party: Party,
    pub delivered_seq: i64,
    pub read_seq: i64,
}

impl MessageRow {
    /// Bytes of what somebody wrote.
    pub fn text_bytes(&self) -> usize {
        self.content.len() + self.parts.as_ref().map_or(0, String::len)
    }
}

impl Row {
    /// The id that tells this row from any other attempt at the same place.
    pub fn id(&self) -> uuid::Uuid {
        match &self.body {
            RowBody::Message(message) => message.id.0,
            RowBody::Event(event) => event.id,
        }
    }

    /// Whose it is, if not the engine's own.
    pub fn author(&self) -> Option<Party> {
        match &self.body {
            RowBody::Message(message) => message.sender,
            RowBody::Event(event) => event.by,
        }
    }

    /// Whose it is, with their own id for it.
    pub fn client_key(&self) -> Option<(Option<Party>, &str)> {
        let client_id = match &self.body {
            RowBody::Message(message) => &message.client_id,
            RowBody::Event(event) => &event.client_id,
        };
        Some((self.author(), client_id.as_deref()?))
    }

    /// What the core reads in it.
    pub fn change(&self) -> Option<&CoreChange> {
        match &self.body {
            RowBody::Message(_) => None,
            RowBody::Event(event) => event.change.as_ref(),
        }
    }

    /// The message, if it is one.
    pub fn message(&self) -> Option<&MessageRow> {
        match &self.body {
            RowBody::Message(message) => Some(message),
            RowBody::Event(_) => None,
        }
    }

    /// The message that is not any more what it was.
    pub fn touches(&self) -> Option<MessageId> {
        self.event()?.touches
    }

    /// The event, if it is one.
    pub fn event(&self) -> Option<&EventRow> {
        match &self.body {
            RowBody::Message(_) => None,
            RowBody::Event(event) => Some(event),
        }
    }

    /// About how many bytes it takes on the way to Postgres.
    pub fn bytes(&self) -> usize {
        const FIXED: usize = 128;
        FIXED
            + match &self.body {
                RowBody::Message(message) => message.text_bytes(),
                // Once for itself, once for what it has written elsewhere.
                RowBody::Event(event) => {
                    let form = event.becomes.as_ref().map_or(0, |row| row.bytes());
                    let effects = event.effects.iter().map(|effect| effect.bytes()).sum::<usize>();
                    FIXED + event.payload.get().len() * (1 + event.effects.len()) + form + effects
                }
            }
    }
}
