//! A log that nobody takes: nothing else notices.

use std::fs::{File, OpenOptions};
use std::io::{PipeReader, Write};
use std::process::Command;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::Method;
use serde_json::json;

use crate::testing::process::{Engine, engine_on, free_port, parlance, run, until};
use crate::testing::{Api, DataFolder, PASSWORD};

/// A pipe that takes no more, and its reader, which does not read.
fn full_pipe() -> (PipeReader, File) {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut writer = File::from(std::os::fd::OwnedFd::from(writer));
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    while writer.write(&[b'x'; 4_096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).unwrap();
    (reader, writer)
}

/// A pipe whose reader has ended.
fn broken_pipe() -> File {
    let (_, writer) = std::io::pipe().unwrap();
    File::from(std::os::fd::OwnedFd::from(writer))
}

fn full_disk() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// The engine says all it has to say to `target`, loses its Postgres, and goes on.
async fn goes_on_without_a_log(target: File) {
    let (folder, port) = (DataFolder::new(), free_port());
    let mut command = engine_on(&folder);
    command.args(["--port", &port.to_string(), "--log-level", "debug"]).env("PARLANCE__LOG__QUEUE_LINES_MAX", "16");
    command.stdout(target.try_clone().unwrap()).stderr(target);
    let engine = Engine::spawn_unheard(command);
    let api = Api::new(format!("http://127.0.0.1:{port}"));
    let is_ready = async || api.try_call(Method::GET, "/readyz", "", None).await.is_some_and(|answer| answer.0 == 200);
    until("it is ready", is_ready).await;
    let ada = api.sign_up("ada").await;
    let room = api.group(std::slice::from_ref(&ada)).await;
    let path = format!("/api/v1/rooms/{room}/messages");
    let post = async |client_id: &str| {
        let body = json!({ "client_id": client_id, "content": "hello" });
        api.call(Method::POST, &path, &ada.token, Some(body)).await.0
    };
    assert_eq!(post("before").await, 201);
    kill(Pid::from_raw(folder.postmaster().unwrap()), Signal::SIGKILL).unwrap();
    until("the next message is taken", async || post("after").await < 300).await;
    until("it is ready again", is_ready).await;
    api.sign_in("ada", PASSWORD).await.unwrap();
    assert_eq!(api.history(&room, &ada.token).await.len(), 2);
    until("what nobody took is counted", async || {
        post("after").await;
        let metrics = reqwest::get(format!("{}/metrics", api.base)).await.unwrap().text().await.unwrap();
        let dropped = metrics.lines().find_map(|line| line.strip_prefix("parlance_log_lines_dropped_total ")).unwrap();
        dropped.parse::<u64>().unwrap() > 10
    })
    .await;
    engine.stop().await;
    assert!(folder.servers().is_empty());
}

#[actix_rt::test]
async fn into_a_pipe_whose_reader_has_ended() {
    goes_on_without_a_log(broken_pipe()).await;
}

#[actix_rt::test]
async fn into_a_full_pipe_that_nobody_reads() {
    let (_reader, writer) = full_pipe();
    goes_on_without_a_log(writer).await;
}

#[actix_rt::test]
async fn onto_a_full_disk() {
    goes_on_without_a_log(full_disk()).await;
}

#[actix_rt::test]
async fn an_answer_that_nobody_reads_is_no_failure_and_a_refusal_keeps_its_code() {
    let targets: [&dyn Fn() -> File; 2] = [&broken_pipe, &full_disk];
    for target in targets {
        let unheard = |mut command: Command| {
            command.stdout(target());
            let child = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
            child.wait_with_output().unwrap()
        };
        for arguments in [&["tree"][..], &["docs", "openapi"], &["config"]] {
            let ended = unheard(parlance(arguments));
            assert!(ended.status.success() && ended.stderr.is_empty(), "{arguments:?}: {ended:?}");
        }
        let mut refused = parlance(&["config"]);
        refused.env("PARLANCE__SERVER__PORT", "nonsense").stdout(target()).stderr(target());
        assert_eq!(Engine::spawn_unheard(refused).ended().await.code, Some(78));
    }
    // A full pipe as well: whoever started it waits for its end, not for its words.
    let (_reader, writer) = full_pipe();
    let mut refused = parlance(&["config"]);
    refused.env("PARLANCE__SERVER__PORT", "nonsense").stderr(writer);
    assert_eq!(Engine::spawn_unheard(refused).ended().await.code, Some(78));
    assert_eq!(run(parlance(&["--version"])).await.code, Some(0));
}

#[actix_rt::test]
async fn on_a_terminal_of_both_the_first_start_ends_with_where_everything_is() {
    let folder = DataFolder::new();
    let seen = folder.join("seen");
    let both = File::create(&seen).unwrap();
    let port = free_port();
    let mut command = engine_on(&folder);
    command.args(["--port", &port.to_string()]).stdout(both.try_clone().unwrap()).stderr(both);
    command.env("PARLANCE__DEMO__ENABLED", "true");
    let engine = Engine::spawn_unheard(command);
    let read = || std::fs::read_to_string(&seen).unwrap();
    until("it says where it is", async || read().contains("demo login  demo-ben") && read().ends_with('\n')).await;
    let api = Api::new(format!("http://127.0.0.1:{port}"));
    until("it is ready", async || api.call(Method::GET, "/readyz", "", None).await.0 == 200).await;
    let text = read();
    let (log, last) = text.split_once("Parlance 0").unwrap();
    assert!(log.contains("Postgres runs"), "{text}");
    assert!(last.lines().skip(1).all(|line| line.starts_with("  ")), "nothing follows: {text}");
    engine.stop().await;
}
