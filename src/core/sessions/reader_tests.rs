use actix_http::ws::{Item, OpCode, Parser};
use futures_util::{FutureExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;
use crate::sessions::incoming::Hellos;

const FRAME_BYTES_MAX: usize = 4_096;

/// A client's end, and the reader of ours.
async fn connected() -> (TcpStream, Reader) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (client, accepted) = futures_util::future::join(TcpStream::connect(address), listener.accept()).await;
    let socket = Rc::new(accepted.unwrap().0);
    (
        client.unwrap(),
        Reader::new(socket, ReadBuffer::new(), &[], Incoming::new(&Hellos::new(FRAME_BYTES_MAX, FRAME_BYTES_MAX))),
    )
}

fn frame(payload: &[u8], opcode: OpCode, last: bool) -> BytesMut {
    let mut bytes = BytesMut::new();
    Parser::write_message(&mut bytes, payload, opcode, last, true);
    bytes
}

fn text(payload: &str) -> BytesMut {
    frame(payload.as_bytes(), OpCode::Text, true)
}

async fn next(reader: &mut Reader) -> Frame {
    reader.next().await.unwrap().unwrap()
}

fn told(payload: &str) -> Frame {
    Frame::Text(payload.as_bytes().to_vec().into())
}

#[actix_rt::test]
async fn a_flood_of_tiny_frames_stays_with_the_client_that_sends_it() {
    let (client, mut reader) = connected().await;
    let flood: Vec<u8> = frame(&[], OpCode::Ping, true).repeat(10_000);
    let mut sent = 0;
    for _ in 0..20_000 {
        // As much as the connection takes: more than a session understands, which asks for one frame at a time.
        while let Ok(count) = client.try_write(&flood[sent % 6..]) {
            sent += count;
        }
        assert!(matches!(next(&mut reader).await, Frame::Ping(_)));
        assert!(reader.kept.len() <= READ_BYTES, "{} bytes are kept", reader.kept.len());
    }
}

#[actix_rt::test]
async fn nothing_is_kept_while_nothing_is_under_way() {
    let (mut client, mut reader) = connected().await;
    client.write_all(&[text("one"), text("two")].concat()).await.unwrap();
    assert_eq!((next(&mut reader).await, next(&mut reader).await), (told("one"), told("two")));
    assert!(reader.next().now_or_never().is_none());
    assert_eq!(reader.kept.capacity(), 0);
    // The tail of a large read holds its own few bytes only.
    let (long, tail) = ("x".repeat(FRAME_BYTES_MAX), text("three"));
    client.write_all(&[&text(&long)[..], &tail[..3]].concat()).await.unwrap();
    assert_eq!(next(&mut reader).await, told(&long));
    assert!(reader.next().now_or_never().is_none());
    assert!(reader.kept.capacity() < 64, "{}", reader.kept.capacity());
    client.write_all(&tail[3..]).await.unwrap();
    assert_eq!(next(&mut reader).await, told("three"));
    assert!(reader.next().now_or_never().is_none());
    assert_eq!(reader.kept.capacity(), 0);
}

#[actix_rt::test]
async fn frames_come_whole_however_they_are_cut() {
    let (mut client, mut reader) = connected().await;
    let bytes = [
        text("one"),
        frame(b"tw", OpCode::Text, false),
        frame(b"?", OpCode::Ping, true),
        frame(b"o", OpCode::Continue, true),
        text(&"x".repeat(300)),
    ]
    .concat();
    let sending = async {
        for byte in bytes.chunks(7) {
            client.write_all(byte).await.unwrap();
            tokio::task::yield_now().await;
        }
        client.shutdown().await.unwrap();
    };
    let mut heard = Vec::new();
    let hearing = async {
        while let Some(frame) = reader.next().await {
            heard.push(frame.unwrap());
        }
    };
    futures_util::future::join(sending, hearing).await;
    let wanted = [
        told("one"),
        Frame::Continuation(Item::FirstText("tw".into())),
        Frame::Ping("?".into()),
        Frame::Continuation(Item::Last("o".into())),
        told(&"x".repeat(300)),
    ];
    assert_eq!(heard, wanted);
}

#[actix_rt::test]
async fn a_frame_over_the_limit_ends_it_before_all_of_it_has_come_and_nothing_is_understood_after_it() {
    let (mut client, mut reader) = connected().await;
    // It announces a GiB.
    let mut header = vec![0x81, 0xff];
    header.extend_from_slice(&(1_u64 << 30).to_be_bytes());
    client.write_all(&header).await.unwrap();
    let sending = async {
        for _ in 0..100 {
            client.write_all(&[0; 1_000]).await.unwrap();
        }
        client.write_all(&text("after")).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let hearing = async {
        assert!(matches!(reader.next().await, Some(Err(ProtocolError::Overflow))));
        assert!(reader.kept.is_empty());
        assert!(reader.next().await.is_none());
    };
    futures_util::future::join(sending, hearing).await;
}
