//! Places in an order, on their way to whoever follows it.

use std::sync::Arc;

use bytestring::ByteString;

use super::Publish;
use crate::order::OrderId;
use parlance_foundation::ids::{RoomId, UserId};

/// Event: these rows of an order were committed.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub order: OrderId,
    /// The seq of the first frame; the others follow without a gap. Empty frames with this seq minus one as the order's
    /// newest: "there is more than you saw; catch up".
    pub first_seq: i64,
    pub frames: Arc<[ByteString]>,
    /// Who follows the order from here on: each with the frame that tells them.
    pub joined: Vec<(UserId, ByteString)>,
    /// Who does not any more.
    pub left: Vec<UserId>,
}

impl Delivery {
    /// "The newest seq is this": whoever has less catches up.
    pub fn announcement(order: OrderId, last_seq: i64) -> Self {
        let (first_seq, frames) = (last_seq + 1, Arc::from(Vec::new()));
        Self { order, first_seq, frames, joined: Vec::new(), left: Vec::new() }
    }

    /// The order's newest seq after this.
    pub fn last_seq(&self) -> i64 {
        self.first_seq + i64::try_from(self.frames.len()).unwrap_or(0) - 1
    }
}

/// Who hears what rooms have to say: the hubs, or a probe in tests. Implementations must not block.
pub trait Audience: Publish {
    /// Durable events, in order.
    fn deliver(&self, delivery: Delivery);
    /// The users are in a new room: tell their devices, and let them follow it from `next_seq`.
    fn join(&self, room_id: RoomId, next_seq: i64, users: Vec<(UserId, ByteString)>);

    /// Tells all who follow the order that its newest seq is this: whoever has less catches up.
    fn announce(&self, order: OrderId, last_seq: i64) {
        self.deliver(Delivery::announcement(order, last_seq));
    }
}
