use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use bytestring::ByteString;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::*;
use crate::answer;
use crate::wire::decode;
use parlance_foundation::ids::UserId;
use parlance_foundation::problem::Problem;

/// A command that is answered at once, later, by another thread, or not at all.
#[derive(Deserialize, ToSchema)]
struct Draw {
    how: String,
}

#[derive(Serialize, ToSchema)]
struct Drawn {
    number: u32,
}

answer!(Drawn);

#[derive(Default)]
struct Ballots {
    put: RefCell<Vec<Reply<Drawn>>>,
    forgets: bool,
}

impl Batch for Ballots {
    fn send(&self) {
        for (number, reply) in (1..).zip(self.put.take()) {
            if !self.forgets {
                reply.send(Ok::<_, Problem>(Drawn { number }));
            }
        }
    }
}

impl Command for Draw {
    const KIND: &'static str = "lot.draw";
    const SUMMARY: &'static str = "Draw a lot";
    const ERRORS: &'static [&'static str] = &["lot.none"];
    type Answer = Drawn;
    type Doors = Rc<Ballots>;

    fn run(self, desk: Desk<'_, Drawn>, ballots: &Rc<Ballots>) {
        let put = |ballots: &Ballots, reply| ballots.put.borrow_mut().push(reply);
        match self.how.as_str() {
            "none" => desk.refuse(Problem::not_found("lot.none", "There is none.")),
            "after" => {
                let ballots = Rc::clone(ballots);
                desk.wait(async {}, move |desk, ()| desk.send_in_order(&ballots, put));
            }
            "page" => desk.answer_page(async { Ok::<_, Problem>(Drawn { number: 9 }) }),
            _ => desk.send_in_order(ballots, put),
        }
    }
}

const COMMANDS: &[Listed<Run<Rc<Ballots>>>] = &[listed::<Draw>()];

/// A session that keeps what it says, without a socket.
#[derive(Default)]
struct Heard {
    said: Arc<Mutex<Vec<String>>>,
    caller: Option<UserId>,
    batch: Option<Rc<dyn Batch>>,
}

struct Door(Arc<Mutex<Vec<String>>>);

impl Answers for Door {
    fn answer(&self, session: u64, frame: ByteString) {
        self.0.lock().unwrap().push(format!("{session}: {frame}"));
    }
}

impl Session for Heard {
    fn admit(&mut self, _: Option<u64>) -> Option<UserId> {
        self.caller
    }

    fn say(&mut self, frame: ByteString) {
        self.said.lock().unwrap().push(frame.to_string());
    }

    fn await_answer(&mut self) -> Way {
        Way { door: Arc::new(Door(Arc::clone(&self.said))), session: 7 }
    }

    fn leave_with(&mut self, batch: Rc<dyn Batch>) {
        self.batch = Some(batch);
    }

    fn wait(&mut self, future: LocalBoxFuture<'static, Then>) {
        future.now_or_never().unwrap()(self);
    }

    fn answer_page(&mut self, frame: LocalBoxFuture<'static, ByteString>) {
        let frame = frame.now_or_never().unwrap();
        self.say(frame);
    }
}

/// What is said about these frames, by a client that is greeted or not.
fn said(frames: &[&str], is_greeted: bool, forgets: bool) -> Vec<String> {
    let protocol = Protocol::<bool>::of::<()>(&[], &[]).with(
        COMMANDS,
        |forgets| Rc::new(Ballots { forgets: *forgets, ..Ballots::default() }),
        &[],
    );
    let commands = protocol.open(&forgets);
    let mut session = Heard { caller: is_greeted.then(|| UserId(uuid::Uuid::nil())), ..Heard::default() };
    for frame in frames {
        let heard = decode(frame).unwrap();
        let done = commands.find(&heard).and_then(|place| match place {
            Place::Of { feature, index } => commands.run(feature, index, &heard, &mut session),
            Place::Own(_) => panic!("there are none"),
        });
        if let Err(bad) = done {
            session.say(ByteString::from(format!("{:?} {}", bad.re, bad.problem)));
        }
    }
    if let Some(batch) = session.batch.take() {
        batch.send();
    }
    let said = session.said.lock().unwrap();
    said.clone()
}

#[test]
fn commands_that_are_heard_together_leave_together_and_answer_in_order() {
    let frames = [
        r#"{"type":"lot.draw","id":1,"how":"now"}"#,
        r#"{"type":"lot.draw","id":2,"how":"after"}"#,
        r#"{"type":"lot.draw","id":3,"how":"none"}"#,
        r#"{"type":"lot.draw","id":4,"how":"page"}"#,
    ];
    let said = said(&frames, true, false);
    assert!(said[0].contains(r#""re":3,"code":"lot.none""#), "{said:?}");
    assert_eq!(
        said[1..],
        [
            r#"{"type":"ok","re":4,"number":9}"#,
            r#"7: {"type":"ok","re":1,"number":1}"#,
            r#"7: {"type":"ok","re":2,"number":2}"#
        ]
    );
}

#[test]
fn a_command_that_nobody_answers_is_to_be_sent_again() {
    let said = said(&[r#"{"type":"lot.draw","id":1,"how":"now"}"#], true, true);
    assert!(said.len() == 1 && said[0].contains(r#""re":1,"code":"engine.unavailable""#), "{said:?}");
    assert!(said[0].contains(r#""retry":"now""#), "{said:?}");
}

#[test]
fn a_session_that_may_not_run_it_runs_nothing_but_hears_of_wrong_fields() {
    let frames = [r#"{"type":"lot.draw","id":1,"how":"now"}"#, r#"{"type":"lot.draw","id":2}"#];
    let said = said(&frames, false, false);
    assert!(said.len() == 1 && said[0].contains("protocol.invalid_frame") && said[0].contains("lot.draw"), "{said:?}");
}

#[test]
fn of_an_unknown_command_the_nearest_is_named_if_any_is_near() {
    for (kind, is_near) in
        [("lot.drew", true), ("LOT.DRAW", true), ("lots.draw", true), ("room.catch_up", false), ("", false)]
    {
        let said = said(&[&format!(r#"{{"type":"{kind}","id":5}}"#)], true, false);
        assert!(said[0].starts_with("Some(5) protocol.unknown_type"), "{said:?}");
        assert_eq!(said[0].contains("Is \"lot.draw\" meant?"), is_near, "{said:?}");
        assert!(said[0].contains("/docs"), "{said:?}");
    }
}
