//! Strangers who hold on to requests: what they may hold, and that it comes back.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::testing::process::{Engine, engine_with, until};
use crate::testing::{Api, DataFolder, TestDatabase, WsClient};

const LOGIN: &str = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";

/// An engine with small limits of the `[server]` section; whose own requests come from 127.0.0.1.
async fn engine(folder: &DataFolder, database: &TestDatabase, limits: &[(&str, &str)]) -> Engine {
    let mut command = engine_with(folder, &database.url());
    for (key, value) in limits {
        command.env(format!("PARLANCE__SERVER__{key}"), value);
    }
    Engine::start(command).await
}

/// A connection from 127.0.0.`last`.
async fn connect(engine: &Engine, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    let address = engine.base().replace("http://", "").parse().unwrap();
    socket.connect(address).await.unwrap()
}

async fn say(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// Status and body of the answer; then the connection must end.
async fn answer_and_end(stream: &mut TcpStream) -> (u16, Value) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let status = text.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {text:?}")).parse().unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("content-type: application/problem+json"), "{head}");
    assert!(head.to_lowercase().contains("connection: close"), "{head}");
    (status, serde_json::from_str(body).unwrap())
}

async fn metric(engine: &Engine, series: &str) -> f64 {
    let metrics = reqwest::get(format!("{}/metrics", engine.base())).await.unwrap().text().await.unwrap();
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).parse().unwrap()
}

async fn refused(engine: &Engine, reason: &str) -> f64 {
    metric(engine, &format!("parlance_requests_refused_total{{reason=\"{reason}\"}}")).await
}

/// All that was held is given back; the scrape itself is a request.
async fn until_all_is_given_back(engine: &Engine) {
    until("no request is unfinished", async || metric(engine, "parlance_requests_unfinished").await <= 1.0).await;
    assert_eq!(metric(engine, "parlance_request_bodies_bytes").await, 0.0);
}

#[actix_rt::test]
async fn bodies_that_stop_half_way_are_told_and_given_back() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let limits = [("TRANSFER_WINDOW_MS", "300"), ("UNFINISHED_PER_ADDRESS_MAX", "1000")];
    let engine = engine(&folder, &database, &limits).await;
    let mut halves = Vec::new();
    for number in 0..300 {
        let mut half = connect(&engine, 2).await;
        // With a length, in chunks, after being asked to go on, and where nobody reads it.
        let text = match number % 4 {
            0 => format!("{LOGIN}Content-Length: 30000\r\n\r\n{{\"login\":\"{}", "x".repeat(20_000)),
            1 => format!("{LOGIN}Transfer-Encoding: chunked\r\n\r\n1000\r\n{}", "x".repeat(2_000)),
            2 => format!("{LOGIN}Content-Length: 30000\r\nExpect: 100-continue\r\n\r\n"),
            _ => format!("{LOGIN}Content-Length: 30000\r\n\r\n"),
        };
        say(&mut half, &text).await;
        halves.push((number, half));
    }
    for (number, mut half) in halves {
        if number % 4 == 2 {
            let mut told_to_go_on = [0; 25];
            half.read_exact(&mut told_to_go_on).await.unwrap();
        }
        let (status, problem) = answer_and_end(&mut half).await;
        assert_eq!((status, &problem["code"]), (408, &json!("request.too_slow")), "{problem}");
        assert_eq!(problem["retry_after_ms"], 0);
    }
    assert_eq!(refused(&engine, "slow_body").await, 300.0);
    until_all_is_given_back(&engine).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn a_body_that_trickles_fast_enough_still_ends_with_the_time_of_its_request() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let limits = [("REQUEST_TIMEOUT_MS", "1000"), ("TRANSFER_WINDOW_MS", "500"), ("TRANSFER_BYTES_PER_S_MIN", "1")];
    let engine = engine(&folder, &database, &limits).await;
    let (mut reading, mut writing) = connect(&engine, 2).await.into_split();
    writing.write_all(format!("{LOGIN}Content-Length: 30000\r\n\r\n").as_bytes()).await.unwrap();
    let trickle = actix_rt::spawn(async move {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(50));
        while writing.write_all(b" ").await.is_ok() {
            tick.tick().await;
        }
    });
    let mut text = vec![0; 12];
    reading.read_exact(&mut text).await.unwrap();
    assert_eq!(text, b"HTTP/1.1 408");
    trickle.await.unwrap();
    assert_eq!(refused(&engine, "timeout").await, 1.0);
    until_all_is_given_back(&engine).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn an_address_has_so_many_unfinished_requests_and_others_have_theirs() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = engine(&folder, &database, &[("UNFINISHED_PER_ADDRESS_MAX", "20")]).await;
    let mut halves = Vec::new();
    for _ in 0..20 {
        let mut half = connect(&engine, 2).await;
        say(&mut half, &format!("{LOGIN}Content-Length: 100\r\n\r\n{{")).await;
        halves.push(half);
    }
    until("all are counted", async || metric(&engine, "parlance_requests_unfinished").await >= 21.0).await;
    let mut next = connect(&engine, 2).await;
    say(&mut next, "GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\n\r\n").await;
    let (status, problem) = answer_and_end(&mut next).await;
    assert_eq!((status, &problem["code"]), (429, &json!("request.too_many_unfinished")));
    assert!(problem["retry_after_ms"].as_u64().unwrap() > 0, "{problem}");
    assert!(problem["request_id"].as_str().unwrap().len() > 10, "{problem}");
    // It hears so also while it is still sending.
    let mut long = connect(&engine, 2).await;
    say(&mut long, &format!("{LOGIN}Content-Length: 200000\r\n\r\n{}", "x".repeat(150_000))).await;
    assert_eq!(answer_and_end(&mut long).await.0, 429);
    // Sockets do not count: more of them than an address may have requests.
    let api = Api::new(engine.base());
    let ada = api.sign_up("ada").await;
    let mut sockets = Vec::new();
    for _ in 0..25 {
        let mut socket = WsClient::open(&engine.base()).await;
        socket.hello(&ada.token, json!({})).await;
        sockets.push(socket);
    }
    api.ok(Method::GET, "/api/v1/rooms", &ada.token, None).await;
    drop(halves);
    until_all_is_given_back(&engine).await;
    assert_eq!((refused(&engine, "too_many").await, refused(&engine, "long_head").await), (2.0, 0.0));
    engine.stop().await;
}

#[actix_rt::test]
async fn bodies_together_hold_so_much_and_one_address_a_quarter_of_it() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let limits = [("REQUEST_BYTES_MAX", "65536"), ("BODIES_BYTES_MAX", "262144")];
    let engine = engine(&folder, &database, &limits).await;
    let half = async |last: u8| {
        let mut half = connect(&engine, last).await;
        say(&mut half, &format!("{LOGIN}Content-Length: 60000\r\n\r\n{{\"login\":\"{}", "x".repeat(49_990))).await;
        half
    };
    let mut held = Vec::new();
    for last in 2..7 {
        held.push(half(last).await);
    }
    until("they are counted", async || metric(&engine, "parlance_request_bodies_bytes").await >= 250_000.0).await;
    let (status, problem) = answer_and_end(&mut half(2).await).await;
    assert_eq!((status, &problem["code"]), (429, &json!("request.too_many_unfinished")), "its quarter is used up");
    let (status, problem) = answer_and_end(&mut half(8).await).await;
    assert_eq!((status, &problem["code"]), (503, &json!("engine.busy")), "so is the whole");
    // What holds nothing is served.
    assert_eq!(reqwest::get(format!("{}/healthz", engine.base())).await.unwrap().status(), 200);
    held.clear();
    until_all_is_given_back(&engine).await;
    Api::new(engine.base()).sign_up("ada").await;
    assert_eq!((refused(&engine, "address_bytes").await, refused(&engine, "bytes").await), (1.0, 1.0));
    engine.stop().await;
}

#[actix_rt::test]
async fn a_head_that_is_too_long_or_an_answer_that_nobody_reads_ends_its_connection() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = engine(&folder, &database, &[("TRANSFER_WINDOW_MS", "300")]).await;
    // The second head of a connection: the first is the server's own to judge.
    let mut long = connect(&engine, 2).await;
    say(&mut long, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\n").await;
    let line = format!("X-Filling: {}\r\n", "x".repeat(1_000));
    while long.write_all(line.as_bytes()).await.is_ok() {}
    until("it is counted", async || refused(&engine, "long_head").await >= 1.0).await;

    // The reference is long: asked for again and again, it fills what the kernel holds for a client that does not read.
    let mut deaf = connect(&engine, 2).await;
    let asking = actix_rt::spawn(async move {
        while deaf.write_all(b"GET /docs/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n").await.is_ok() {}
    });
    until("it is cut off", async || refused(&engine, "slow_reader").await >= 1.0).await;
    asking.await.unwrap();
    until_all_is_given_back(&engine).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn requests_that_are_sent_far_ahead_of_their_answers_are_all_answered() {
    const REQUESTS: usize = 5_000;
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = engine(&folder, &database, &[]).await;
    let (mut reading, mut writing) = connect(&engine, 2).await.into_split();
    let asking = actix_rt::spawn(async move {
        let one = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nPOST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\n\
                   Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        writing.write_all(one.repeat(REQUESTS / 2).as_bytes()).await.unwrap();
        writing
    });
    let (mut answers, mut bytes) = (0, [0; 65_536]);
    let mut rest = String::new();
    while answers < REQUESTS {
        let count = reading.read(&mut bytes).await.unwrap();
        assert!(count > 0, "it ended after {answers} answers");
        rest.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        answers += rest.matches("HTTP/1.1 200").count() + rest.matches("HTTP/1.1 422").count();
        // An answer may begin in this part and go on in the next.
        rest = rest.split_off(rest.len().saturating_sub("HTTP/1.1 20".len()));
    }
    drop(asking.await.unwrap());
    until_all_is_given_back(&engine).await;
    engine.stop().await;
}

#[actix_rt::test]
async fn what_strangers_send_is_no_error_of_ours() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = engine(&folder, &database, &[("TRANSFER_WINDOW_MS", "300")]).await;
    let long_head = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(200_000));
    for garbage in [
        "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03nonsense\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: nonsense\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: 50\r\n\r\n{",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &long_head,
    ] {
        let mut stream = connect(&engine, 2).await;
        // It may have been refused before it is sent whole.
        let _ = stream.write_all(garbage.as_bytes()).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
    let ended = engine.stop().await;
    assert!(!ended.stderr.contains("\"ERROR\"") && !ended.stderr.contains("\"WARN\""), "{}", ended.stderr);
}
