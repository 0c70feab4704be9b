//! `baseline socket`: the scenarios against the broadcaster.

use anyhow::Context;
use uuid::Uuid;

use super::Served;
use crate::client::Person;
use crate::engine::UsageSource;
use crate::report::Report;
use crate::scenarios::chatter::{self, ChatterArgs};
use crate::scenarios::fanout::{self, FanoutArgs};

/// The broadcaster in a process of its own.
pub struct Broadcaster {
    served: Served,
    address: std::net::SocketAddr,
}

impl Broadcaster {
    pub async fn start() -> anyhow::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut served = Served::start(&["socket".into(), "--threads".into(), threads.to_string()])?;
        let port: u16 = served.line().await?.parse().context("the baseline's port")?;
        Ok(Self { served, address: ([127, 0, 0, 1], port).into() })
    }

    fn usage(&self) -> UsageSource {
        UsageSource::Process(self.served.pid())
    }

    /// People whose token is the room that they listen to.
    fn people(rooms: &[Uuid], each: usize, count: usize) -> Vec<Person> {
        let places = rooms.iter().flat_map(|room| std::iter::repeat_n(room, each)).take(count);
        places.map(|room| Person { id: Uuid::new_v4(), token: room.to_string() }).collect()
    }

    pub async fn fanout(&self, args: &FanoutArgs) -> anyhow::Result<Report> {
        let room = Uuid::now_v7();
        let listeners = usize::try_from(args.listeners)?;
        let people = Self::people(&[room], listeners, listeners);
        let venue = fanout::Venue { address: self.address, room, people, usage: self.usage(), base: None };
        fanout::drive(args, &venue, Report::of("baseline socket")).await
    }

    pub async fn chatter(&self, args: &ChatterArgs) -> anyhow::Result<Report> {
        let (users, size) = (usize::try_from(args.users)?, usize::try_from(args.room_size)?);
        let rooms: Vec<Uuid> = (0..users.div_ceil(size)).map(|_| Uuid::now_v7()).collect();
        let people = Self::people(&rooms, size, users);
        let venue = chatter::Venue { address: self.address, rooms, people, usage: self.usage(), base: None };
        Ok(chatter::drive(args, &venue, Report::of("baseline socket")).await?.strictly())
    }
}

pub async fn run(args: &FanoutArgs) -> anyhow::Result<Report> {
    Broadcaster::start().await?.fanout(args).await
}
