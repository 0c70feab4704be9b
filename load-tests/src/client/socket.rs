//! A WebSocket, client side, on a bare TCP stream (RFC 6455): text frames out, whole frames in.

use std::cell::RefCell;
use std::io::{ErrorKind, IoSlice};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use nix::errno::Errno;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// Bytes read at once, by whichever connection of this thread has some.
const READ_BYTES: usize = 256 * 1024;
/// Two bytes, eight of a long length, four of mask (RFC 6455, section 5.2).
const HEADER_BYTES_MAX: usize = 14;
const HANDSHAKE_BYTES_MAX: usize = 16 * 1024;
/// A server that takes nothing more for so long does not go on.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// First bytes of the frames that this client sends.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8A;
/// The key of RFC 6455, section 1.3, and what a server answers to it: no client of a load test is fooled by a cache.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

thread_local! {
    static SHARED: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES]);
}

/// One connection. Writing needs no exclusive access, so that a task can read while others send.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    /// Held from the first byte of a frame to its last: a full connection takes it in parts.
    writing: Mutex<()>,
    /// The beginning of a frame whose end has not come yet.
    partial: RefCell<Vec<u8>>,
}

/// What a server sent.
#[derive(Debug, PartialEq)]
pub enum Message<'a> {
    Text(&'a [u8]),
    /// It closes, for this reason.
    Close(u16),
    /// A ping, a pong, or something binary.
    Other,
}

impl Socket {
    /// Connects and shakes hands on `/api/v1/ws`.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await.map_err(unconnected)?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /api/v1/ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::with_capacity(512);
        let head = loop {
            if let Some(end) = memchr::memmem::find(&answer, b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut answer).await? == 0 || answer.len() > HANDSHAKE_BYTES_MAX {
                bail!("the server closed during the handshake");
            }
        };
        let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).into_owned();
        if !text.starts_with("HTTP/1.1 101") || !text.contains(ACCEPT) {
            bail!("the server refused the WebSocket: {}", text.lines().next().unwrap_or_default());
        }
        let partial = RefCell::new(answer.split_off(head + 4));
        Ok(Self { stream, writing: Mutex::default(), partial })
    }

    /// Sends a text frame.
    pub async fn send(&self, text: &[u8]) -> anyhow::Result<()> {
        self.write(TEXT, text).await
    }

    /// Sends several text frames in one system call, as far as the connection takes them at once.
    pub async fn send_together(&self, texts: &[String]) -> anyhow::Result<()> {
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len() + HEADER_BYTES_MAX).sum());
        for text in texts {
            bytes.extend_from_slice(header_of(TEXT, text.len(), &mut [0; HEADER_BYTES_MAX]));
            bytes.extend_from_slice(text.as_bytes());
        }
        self.write_all(&[], &bytes).await
    }

    /// Says that we are alive, without asking for an answer. Not on a connection that is full or being written to: it has
    /// things of ours to say. One that is gone is its reader's to notice.
    pub async fn speak(&self) {
        let Ok(_writing) = self.writing.try_lock() else { return };
        let mut room = [0; HEADER_BYTES_MAX];
        let word = header_of(PONG, 0, &mut room);
        if let Ok(sent) = self.stream.try_write(word) {
            let _ = self.write_rest(word.get(sent..).unwrap_or_default(), &[]).await;
        }
    }

    /// Says good-bye. The server answers by closing.
    pub async fn close(&self) -> anyhow::Result<()> {
        self.write(CLOSE, &1000_u16.to_be_bytes()).await
    }

    /// A masked frame, as clients send them. The mask is zero, which the protocol allows and which masks nothing.
    async fn write(&self, first: u8, payload: &[u8]) -> anyhow::Result<()> {
        self.write_all(header_of(first, payload.len(), &mut [0; HEADER_BYTES_MAX]), payload).await
    }

    async fn write_all(&self, header: &[u8], payload: &[u8]) -> anyhow::Result<()> {
        let _writing = self.writing.lock().await;
        self.write_rest(header, payload).await
    }

    async fn write_rest(&self, header: &[u8], payload: &[u8]) -> anyhow::Result<()> {
        let whole = header.len() + payload.len();
        let mut sent = 0;
        while sent < whole {
            let result = if sent < header.len() {
                let rest = header.get(sent..).unwrap_or_default();
                self.stream.try_write_vectored(&[IoSlice::new(rest), IoSlice::new(payload)])
            } else {
                self.stream.try_write(payload.get(sent - header.len()..).unwrap_or_default())
            };
            match result {
                Ok(bytes) => sent += bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn writable(&self) -> anyhow::Result<()> {
        let writable = tokio::time::timeout(WRITE_PATIENCE, self.stream.writable()).await;
        let seconds = WRITE_PATIENCE.as_secs();
        Ok(writable.with_context(|| format!("the server read nothing of what was sent for {seconds} s"))??)
    }

    /// Waits for bytes and hands over every frame that is whole; `false` when the server has ended the connection.
    pub async fn read(&self, mut on_message: impl FnMut(Message<'_>)) -> anyhow::Result<bool> {
        // The handshake may have brought frames along.
        if !self.partial.borrow().is_empty() && self.understand(0, &mut on_message)? {
            return Ok(true);
        }
        loop {
            self.stream.readable().await?;
            let kept = self.partial.borrow().len();
            let read = SHARED.with_borrow_mut(|shared| {
                if shared.len() < kept + READ_BYTES {
                    shared.resize(kept + READ_BYTES, 0);
                }
                self.stream.try_read(shared.get_mut(kept..).unwrap_or_default())
            });
            match read {
                Ok(0) => return Ok(false),
                Ok(bytes) => {
                    if bytes < READ_BYTES {
                        self.is_drained();
                    }
                    self.understand(bytes, &mut on_message)?;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A read that did not fill the buffer has emptied the socket: the next one waits for news of it, rather than asking
    /// the kernel first. Only right where one thread both reads and polls for news, as here.
    fn is_drained(&self) {
        let nothing = || Err::<(), _>(ErrorKind::WouldBlock.into());
        let _ = self.stream.try_io(tokio::io::Interest::READABLE, nothing);
    }

    /// Frames in the kept bytes followed by `bytes` new ones; whether there was one.
    fn understand(&self, bytes: usize, on_message: &mut impl FnMut(Message<'_>)) -> anyhow::Result<bool> {
        SHARED.with_borrow_mut(|shared| {
            let mut partial = self.partial.borrow_mut();
            let kept = partial.len();
            if shared.len() < kept {
                shared.resize(kept, 0);
            }
            shared.get_mut(..kept).unwrap_or_default().copy_from_slice(&partial);
            partial.clear();
            let mut rest = shared.get(..kept + bytes).unwrap_or_default();
            let mut any = false;
            while let Some((message, after)) = split_frame(rest)? {
                on_message(message);
                any = true;
                rest = after;
            }
            partial.extend_from_slice(rest);
            if partial.is_empty() && partial.capacity() > 4096 {
                *partial = Vec::new();
            }
            Ok(any)
        })
    }

    /// From here on, dropping the connection cuts it without a word, as a cable does: bytes that wait are lost (RST).
    pub fn cut_on_drop(&self) {
        // Fails only for a socket that is gone already.
        let _ = self.stream.set_zero_linger();
    }

    /// Waits at most this long for the server to close.
    pub async fn drain(&self, patience: Duration) {
        let reading = async { while self.read(|_| {}).await.unwrap_or(false) {} };
        // A server that does not close is none of our business any more.
        let _ = tokio::time::timeout(patience, reading).await;
    }
}

/// Why there is no connection, and what to do about it where that is ours to do.
fn unconnected(error: std::io::Error) -> anyhow::Error {
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE) => ": each connection is an open file; raise `ulimit -n`, or ask for fewer connections",
        Some(Errno::EADDRNOTAVAIL) => {
            ": each connection takes a local port; widen net.ipv4.ip_local_port_range, or ask for fewer connections"
        }
        _ => "",
    };
    anyhow::anyhow!("cannot connect: {error}{remedy}")
}

fn header_of(first: u8, len: usize, header: &mut [u8; HEADER_BYTES_MAX]) -> &[u8] {
    const MASKED: u8 = 0x80;
    header[0] = first;
    #[expect(clippy::cast_possible_truncation, reason = "each arm has checked the range")]
    let used = match len {
        0..126 => {
            header[1] = MASKED | len as u8;
            2
        }
        126..65_536 => {
            header[1] = MASKED | 126;
            header[2..4].copy_from_slice(&(len as u16).to_be_bytes());
            4
        }
        _ => {
            header[1] = MASKED | 127;
            header[2..10].copy_from_slice(&(len as u64).to_be_bytes());
            10
        }
    };
    header.get(..used + 4).unwrap_or_default()
}

type Split<'a> = Option<(Message<'a>, &'a [u8])>;

/// The first frame and what follows it; `None` while it is not whole.
fn split_frame(bytes: &[u8]) -> anyhow::Result<Split<'_>> {
    let [first, second, ..] = bytes else { return Ok(None) };
    let (header, len) = match second & 0x7F {
        126 => match bytes.get(2..4) {
            Some(len) => (4, usize::from(u16::from_be_bytes(len.try_into()?))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(len) => (10, usize::try_from(u64::from_be_bytes(len.try_into()?))?),
            None => return Ok(None),
        },
        short => (2, usize::from(short)),
    };
    let Some(payload) = bytes.get(header..).and_then(|rest| rest.get(..len)) else { return Ok(None) };
    let message = match first & 0x8F {
        0x81 => Message::Text(payload),
        0x88 => Message::Close(payload.get(..2).map_or(1005, |code| u16::from_be_bytes([code[0], code[1]]))),
        0x82 | 0x89 | 0x8A => Message::Other,
        other => bail!("a frame that this client does not know: {other:#x}"),
    };
    Ok(Some((message, bytes.get(header + len..).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_split_where_they_end() {
        let bytes = [&[0x81, 2][..], b"ab", &[0x8A, 0], &[0x88, 2, 0x0F, 0xA1], &[0x81, 126, 0]].concat();
        let (first, rest) = split_frame(&bytes).unwrap().unwrap();
        assert_eq!(first, Message::Text(b"ab"));
        let (second, rest) = split_frame(rest).unwrap().unwrap();
        assert_eq!(second, Message::Other);
        let (third, rest) = split_frame(rest).unwrap().unwrap();
        assert_eq!(third, Message::Close(4001));
        assert_eq!(split_frame(rest).unwrap(), None);
    }

    #[test]
    fn what_this_machine_lacks_is_told_with_its_remedy() {
        let said = |error: Errno| unconnected(std::io::Error::from(error)).to_string();
        assert!(said(Errno::EMFILE).contains("ulimit -n"));
        assert!(said(Errno::EADDRNOTAVAIL).contains("ip_local_port_range"));
        assert_eq!(said(Errno::ECONNREFUSED), "cannot connect: Connection refused (os error 111)");
    }

    #[test]
    fn headers_grow_with_the_payload() {
        let mut room = [0; 14];
        assert_eq!(header_of(0x81, 5, &mut room), [0x81, 0x85, 0, 0, 0, 0]);
        assert_eq!(header_of(0x81, 300, &mut room), [0x81, 0xFE, 1, 44, 0, 0, 0, 0]);
        assert_eq!(header_of(0x81, 70_000, &mut room).len(), 14);
    }
}
