//! How much of a client's bytes may wait to be understood.
//!
//! The WebSocket layer reads its connection dry before it decodes, and decodes a few frames at a time: a flood of small
//! frames would pile up in its buffer. So the bytes that it gets are counted, and it gets no more while too many of them
//! have not come back as messages.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_web::error::PayloadError;
use actix_web::web::Bytes;
use futures_util::Stream;

/// Bytes handed over and not yet understood. Shared by the stream and the session that understands.
#[derive(Clone, Default)]
pub struct Meter(Rc<Inner>);

#[derive(Default)]
struct Inner {
    waiting: Cell<usize>,
    blocked: RefCell<Option<Waker>>,
}

/// A connection's bytes, as many as the meter lets through.
pub struct Metered<S> {
    payload: S,
    meter: Meter,
    bytes_max: usize,
}

impl Meter {
    /// The bytes of `payload`, at most about `bytes_max` of them ahead of what was understood.
    pub fn limit<S>(&self, payload: S, bytes_max: usize) -> Metered<S> {
        Metered { payload, meter: self.clone(), bytes_max }
    }

    /// A frame with a payload of `len` bytes was understood.
    pub fn understood(&self, len: usize) {
        // Two bytes, the length where two do not say it, and a mask of four (RFC 6455, section 5.2).
        let header = match len {
            0..126 => 6,
            126..65_536 => 8,
            _ => 14,
        };
        self.0.waiting.set(self.0.waiting.get().saturating_sub(header + len));
        if let Some(blocked) = self.0.blocked.borrow_mut().take() {
            blocked.wake();
        }
    }
}

impl<S: Stream<Item = Result<Bytes, PayloadError>> + Unpin> Stream for Metered<S> {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let inner = Rc::clone(&self.meter.0);
        if inner.waiting.get() > self.bytes_max {
            *inner.blocked.borrow_mut() = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.payload).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &polled {
            inner.waiting.set(inner.waiting.get() + bytes.len());
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt, stream};

    use super::*;

    #[test]
    fn no_more_comes_until_enough_was_understood() {
        let meter = Meter::default();
        // Empty frames: six bytes each.
        let flood = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 60])));
        let mut metered = meter.limit(flood, 200);
        let mut read = 0;
        while let Some(Some(chunk)) = metered.next().now_or_never() {
            read += chunk.unwrap().len();
            assert!(read <= 1_000, "it never stops");
        }
        assert_eq!(read, 240);
        for _ in 0..7 {
            meter.understood(0);
        }
        assert!(metered.next().now_or_never().is_some());
        assert!(metered.next().now_or_never().is_none());
    }

    #[test]
    fn frames_count_with_their_headers() {
        let meter = Meter::default();
        for (payload, frame) in [(0, 6), (125, 131), (126, 134), (65_535, 65_543), (65_536, 65_550)] {
            meter.0.waiting.set(frame);
            meter.understood(payload);
            assert_eq!(meter.0.waiting.get(), 0, "{payload}");
        }
    }
}
