//! Consecutive events of one room, put into WebSocket frames once for all listeners of a thread.
//!
//! What waits for five hundred sockets is then five hundred references to the same bytes, and a socket that has nothing
//! else to say is written to from them: no copy, no header, no counting of each frame.

use std::rc::Rc;
use std::sync::Arc;

use actix_http::ws::{OpCode, Parser};
use actix_web::web::BytesMut;
use bytestring::ByteString;

/// Bytes of one parcel, give or take a frame: what follows stays sheddable on its own.
const BYTES_MAX: usize = 32 * 1024;

/// See the module. On one thread, so that handing it on costs no atomic count.
#[derive(Debug)]
pub struct Parcel {
    /// The place of the first event; the others follow without a gap.
    pub first_seq: i64,
    encoded: BytesMut,
    /// Where each frame ends in `encoded`.
    ends: Vec<usize>,
}

impl Parcel {
    /// The frames of a delivery, in as many parcels as they need.
    pub fn pack(first_seq: i64, frames: &Arc<[ByteString]>) -> Vec<Rc<Self>> {
        let mut parcels = Vec::with_capacity(1);
        let (mut from, mut bytes) = (0, 0);
        for (index, frame) in frames.iter().enumerate() {
            bytes += frame.len();
            if bytes >= BYTES_MAX || index + 1 == frames.len() {
                let first = first_seq + i64::try_from(from).unwrap_or(0);
                parcels.push(Rc::new(Self::of(first, frames.get(from..=index).unwrap_or_default(), bytes)));
                (from, bytes) = (index + 1, 0);
            }
        }
        parcels
    }

    fn of(first_seq: i64, frames: &[ByteString], bytes: usize) -> Self {
        /// The header of a frame that is longer than 125 bytes and shorter than 64 KiB.
        const HEADER_BYTES: usize = 4;
        let mut encoded = BytesMut::with_capacity(bytes + HEADER_BYTES * frames.len());
        let ends = frames.iter().map(|frame| {
            Parser::write_message(&mut encoded, frame.as_bytes(), OpCode::Text, true, false);
            encoded.len()
        });
        let ends = ends.collect();
        Self { first_seq, encoded, ends }
    }

    /// How many events it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The place of the last event.
    pub fn last_seq(&self) -> i64 {
        self.first_seq + i64::try_from(self.len()).unwrap_or(0) - 1
    }

    /// The events without their WebSocket headers, for those who look into a parcel.
    pub fn events_after(&self, skip: usize) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).skip(skip).map(|(begin, end)| {
            let frame = self.encoded.get(begin..*end).unwrap_or_default();
            let header = match frame.get(1) {
                Some(126) => 4,
                Some(127) => 10,
                _ => 2,
            };
            frame.get(header..).unwrap_or_default()
        })
    }

    /// What is to be written, without the first `skip` frames.
    pub fn bytes_after(&self, skip: usize) -> &[u8] {
        let from = skip.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        self.encoded.get(from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(lengths: &[usize]) -> Arc<[ByteString]> {
        lengths.iter().map(|length| ByteString::from("x".repeat(*length))).collect()
    }

    #[test]
    fn frames_are_encoded_as_a_socket_gets_them() {
        let parcels = Parcel::pack(7, &frames(&[1, 200]));
        let [parcel] = &parcels[..] else { panic!("{parcels:?}") };
        assert_eq!((parcel.first_seq, parcel.last_seq(), parcel.len()), (7, 8, 2));
        assert_eq!(parcel.bytes_after(0).len(), 2 + 1 + 4 + 200);
        assert_eq!(parcel.bytes_after(0)[..3], [0x81, 1, b'x']);
        assert_eq!(parcel.bytes_after(1)[..4], [0x81, 126, 0, 200]);
        assert!(parcel.bytes_after(2).is_empty());
        assert_eq!(parcel.events_after(0).map(<[u8]>::len).collect::<Vec<_>>(), [1, 200]);
        assert_eq!(parcel.events_after(1).map(<[u8]>::len).collect::<Vec<_>>(), [200]);
    }

    #[test]
    fn much_is_packed_into_several_without_a_gap() {
        let parcels = Parcel::pack(1, &frames(&[20_000; 7]));
        assert_eq!(
            parcels.iter().map(|parcel| (parcel.first_seq, parcel.len())).collect::<Vec<_>>(),
            [(1, 2), (3, 2), (5, 2), (7, 1)]
        );
        assert!(Parcel::pack(1, &frames(&[])).is_empty());
    }
}
