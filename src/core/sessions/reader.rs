//! From a socket to frames.
//!
//! Invariants
//! - The socket is read only when the session asks for a frame and has understood all before: a client that sends more
//!   than is understood fills its own connection, not our memory.
//! - Only an unfinished frame, or what came with the one that the session is busy with, is kept: an idle connection has
//!   no buffer. At most one frame's bound and one read are.
//! - After an error nothing is understood any more; what comes is thrown away until the client has taken the close.
//! - Others on the thread get their turn: tokio bounds the reads of one poll, actix the frames.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_codec::Decoder;
use actix_http::ws::{Codec, Frame, ProtocolError};
use actix_web::rt::net::TcpStream;
use actix_web::web::BytesMut;
use futures_util::Stream;
use tokio::io::Interest;

use super::incoming::Incoming;

/// Bytes of one read. The buffer for it is shared by the sessions of a thread.
const READ_BYTES: usize = 16 * 1024;
/// Two bytes, eight of a long length, four of mask (RFC 6455, section 5.2).
const HEADER_BYTES_MAX: usize = 14;

/// Where each read of this thread goes first.
pub struct ReadBuffer(RefCell<Box<[u8]>>);

impl ReadBuffer {
    pub fn new() -> Rc<Self> {
        Rc::new(Self(RefCell::new(vec![0; READ_BYTES].into())))
    }
}

/// The frames of one connection.
pub struct Reader {
    socket: Rc<TcpStream>,
    shared: Rc<ReadBuffer>,
    codec: Codec,
    /// Read and not yet understood.
    kept: BytesMut,
    /// A frame was cut off `kept`, which holds its memory.
    is_tail: bool,
    incoming: Rc<Incoming>,
    broken: bool,
}

impl Reader {
    /// Reads frames as `incoming` allows; `already` was read with the request.
    pub fn new(socket: Rc<TcpStream>, shared: Rc<ReadBuffer>, already: &[u8], incoming: Rc<Incoming>) -> Self {
        let codec = Codec::new();
        Self { socket, shared, codec, kept: already.into(), is_tail: false, incoming, broken: false }
    }

    /// The next whole frame of what was read.
    fn understand(&mut self) -> Option<Result<Frame, ProtocolError>> {
        if self.kept.is_empty() {
            return None;
        }
        let bytes_max = self.incoming.bytes_max();
        self.codec = std::mem::take(&mut self.codec).max_size(bytes_max);
        let decoded = match self.codec.decode(&mut self.kept) {
            _ if self.incoming.is_refused() => Err(ProtocolError::Overflow),
            // The codec would wait for all of a frame before it says that it is too large.
            Ok(None) if self.kept.len() > bytes_max + HEADER_BYTES_MAX => Err(ProtocolError::Overflow),
            Ok(None) => {
                // What it is the tail of may be much larger. Once: a frame that drips in is not copied for each drop.
                if std::mem::take(&mut self.is_tail) {
                    self.kept = BytesMut::from(&self.kept[..]);
                }
                return None;
            }
            Ok(Some(frame)) => Ok(frame),
            Err(error) => Err(error),
        };
        self.is_tail = true;
        if self.kept.is_empty() || decoded.is_err() {
            self.kept = BytesMut::new();
        }
        self.broken = decoded.is_err();
        Some(decoded)
    }

    /// Reads once. None: the client has said its last, or the connection is gone.
    fn read(&mut self) -> Option<()> {
        let mut shared = self.shared.0.borrow_mut();
        match self.socket.try_read(&mut shared) {
            Ok(0) => None,
            Ok(_) if self.broken => Some(()),
            Ok(count) => {
                if count < shared.len() {
                    self.clear_readiness();
                }
                self.kept.extend_from_slice(shared.get(..count).unwrap_or_default());
                // What it says is heard with the next frame, which there will be none of.
                self.incoming.count(count);
                Some(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Some(()),
            Err(_) => None,
        }
    }

    /// A read that did not fill the buffer has emptied the socket: the next one waits for news of it, rather than asking
    /// the kernel first. Only right where one thread both reads and polls for news, as each worker does.
    fn clear_readiness(&self) {
        let nothing = || Err::<(), _>(ErrorKind::WouldBlock.into());
        let _ = self.socket.try_io(Interest::READABLE, nothing);
    }
}

impl Stream for Reader {
    type Item = Result<Frame, ProtocolError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(understood) = self.understand() {
                return Poll::Ready(Some(understood));
            }
            if ready!(self.socket.poll_read_ready(context)).is_err() || self.read().is_none() {
                return Poll::Ready(None);
            }
        }
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
