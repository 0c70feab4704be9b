//! Rooms with a past: those of an installation, or some that are filled for the run.

use std::rc::Rc;

use anyhow::{Context, bail};
use uuid::Uuid;

use super::HistoryArgs;
use crate::client::{ANSWER_PATIENCE, Accounts, Crowd, Heard, Installation, Listener, Person, Session, post_frame};
use crate::engine::Target;
use crate::measure::Progress;

/// Posts of one room that await their answer while it is filled.
const FILL_IN_FLIGHT: u64 = 100;

/// Somebody who reads, and what they may read.
pub struct Reader {
    pub token: String,
    pub listener: Listener,
    pub rooms: Vec<(Uuid, u64)>,
}

/// Who reads, and where.
pub struct Venue {
    pub accounts: Accounts,
    pub readers: Vec<Reader>,
    /// Rooms of our own hold messages and nothing else.
    pub messages_only: bool,
}

impl Venue {
    pub async fn open(args: &HistoryArgs, target: &Target) -> anyhow::Result<Self> {
        if args.installed { Self::installed(args, target).await } else { Self::filled(args, target).await }
    }

    /// People of an installation, each with the rooms of theirs in which most was said.
    async fn installed(args: &HistoryArgs, target: &Target) -> anyhow::Result<Self> {
        let installation = Installation::open(target, &args.name, &args.password).await?;
        let mut readers = Vec::new();
        for reader in 0..u64::from(args.readers) {
            // Spread over everybody.
            let token = installation.token(reader * installation.users / u64::from(args.readers))?;
            let rooms = installation.rooms(&token).await?;
            let rooms = rooms.iter().filter(|room| room.last_seq > 1).take(usize::try_from(args.rooms)?);
            let rooms: Vec<(Uuid, u64)> = rooms.map(|room| (room.id, room.last_seq)).collect();
            if rooms.is_empty() {
                bail!("somebody of the installation has no room with a past");
            }
            let (listener, _) = Listener::start(target.address, &token).await?;
            readers.push(Reader { token, listener, rooms });
        }
        Ok(Self { accounts: installation.accounts, readers, messages_only: false })
    }

    /// Rooms in which all readers are, filled by posting.
    async fn filled(args: &HistoryArgs, target: &Target) -> anyhow::Result<Self> {
        let accounts = Accounts::on(target)?;
        let people = accounts.people(usize::try_from(args.readers)?).await?;
        let rooms = accounts.groups(vec![people.clone(); usize::try_from(args.rooms)?]).await?;
        let poster = people.first().context("at least one reader")?;
        fill(args, target, poster, &rooms).await?;
        let places: Vec<(Uuid, u64)> = rooms.iter().map(|room| (*room, args.events)).collect();
        let mut readers = Vec::new();
        for person in &people {
            let (listener, _) = Listener::start(target.address, &person.token).await?;
            readers.push(Reader { token: person.token.clone(), listener, rooms: places.clone() });
        }
        Ok(Self { accounts, readers, messages_only: true })
    }
}

/// Posts as many messages into each room as were asked for.
async fn fill(args: &HistoryArgs, target: &Target, poster: &Person, rooms: &[Uuid]) -> anyhow::Result<()> {
    let progress = Progress::of("filling rooms", args.events * rooms.len() as u64);
    let content = "x".repeat(usize::try_from(args.bytes)?);
    for room in rooms {
        let (session, _) = Session::start(target.address, &poster.token, &[], |_, _| {}).await?;
        let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
        let refused = answers.clone();
        let hear = move |_, heard: Heard<'_>, _: &[u8]| match heard {
            // A receiver that is gone has given up.
            Heard::Ok { .. } => drop(answers.send(Ok(()))),
            Heard::Error { code, .. } => drop(answers.send(Err(code))),
            _ => {}
        };
        let crowd = Crowd::new(vec![session], hear, move |_, _| drop(refused.send(Err("closed".to_owned()))));
        let socket = Rc::clone(crowd.socket(0).context("the session that posts")?);
        let (mut sent, mut done) = (0, 0);
        while done < args.events {
            while sent < args.events && sent < done + FILL_IN_FLIGHT {
                sent += 1;
                socket.send(post_frame(sent + 1, room, &sent.to_string(), &content).as_bytes()).await?;
            }
            let answer = tokio::time::timeout(ANSWER_PATIENCE, answered.recv()).await;
            let late = || format!("no answer to a post for {} s", ANSWER_PATIENCE.as_secs());
            match answer.with_context(late)? {
                Some(Ok(())) => done += 1,
                Some(Err(code)) => bail!("a message could not be posted: {code}"),
                None => bail!("the session that posts is gone"),
            }
            progress.add(1);
        }
        crowd.close().await;
    }
    Ok(())
}
