//! All commands of an engine, joined from the lists of its features, and found by their kind.

use serde_json::Value;

use super::{Listed, Run, Session};
use crate::wire::asyncapi::{self, CommandDoc, FrameDoc};
use crate::wire::{BadFrame, Heard, shown};

/// Kinds that are less alike than this (1: the same) are not offered for one another.
const ALIKE_MIN: f64 = 0.8;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the sessions' own list, which needs more of a session than its desk.
    Own(usize),
    Of {
        feature: usize,
        index: usize,
    },
}

/// Makes a feature's commands ready for one thread.
type Open<P> = Box<dyn Fn(&P) -> Box<dyn Feature>>;

/// What clients may say and what they hear; `P` is what the doors of all features are taken from.
pub struct Protocol<P> {
    commands: Vec<(&'static CommandDoc, Place)>,
    frames: Vec<&'static FrameDoc>,
    features: Vec<Open<P>>,
}

impl<P: 'static> Protocol<P> {
    /// The sessions' own, to which features are added.
    pub fn of<R>(own: &'static [Listed<R>], frames: &'static [FrameDoc]) -> Self {
        let commands = own.iter().enumerate().map(|(index, command)| (&command.doc, Place::Own(index))).collect();
        Self { commands, frames: frames.iter().collect(), features: Vec::new() }
    }

    /// A feature: its commands, the doors that they need, and the frames that it sends by itself.
    pub fn with<D: 'static>(
        mut self,
        list: &'static [Listed<Run<D>>],
        doors: fn(&P) -> D,
        frames: &'static [FrameDoc],
    ) -> Self {
        let feature = self.features.len();
        let places = list.iter().enumerate().map(|(index, command)| (&command.doc, Place::Of { feature, index }));
        self.commands.extend(places);
        self.frames.extend(frames);
        self.features.push(Box::new(move |parts| Box::new(Opened { list, doors: doors(parts) })));
        self
    }

    pub fn commands(&self) -> impl Iterator<Item = &'static CommandDoc> {
        self.commands.iter().map(|(doc, _)| *doc)
    }

    /// What the engine sends by itself.
    pub fn frames(&self) -> impl Iterator<Item = &'static FrameDoc> {
        self.frames.iter().copied()
    }

    /// The AsyncAPI document.
    pub fn document(&self) -> Value {
        asyncapi::document(&self.commands().collect::<Vec<_>>(), &self.frames)
    }

    /// The commands with their doors, for the sessions of one thread.
    pub fn open(&self, parts: &P) -> Commands {
        let mut by_kind: Box<[_]> = self.commands.iter().map(|(doc, place)| (doc.kind, *place)).collect();
        by_kind.sort_unstable_by_key(|(kind, _)| *kind);
        Commands { by_kind, features: self.features.iter().map(|open| open(parts)).collect() }
    }
}

/// One feature's list with its doors.
struct Opened<D: 'static> {
    list: &'static [Listed<Run<D>>],
    doors: D,
}

trait Feature {
    fn run(&self, index: usize, heard: &Heard<'_>, session: &mut dyn Session) -> Result<(), BadFrame>;
}

impl<D> Feature for Opened<D> {
    fn run(&self, index: usize, heard: &Heard<'_>, session: &mut dyn Session) -> Result<(), BadFrame> {
        // Indexes come from the same list.
        self.list.get(index).map_or(Ok(()), |command| (command.run)(heard, session, &self.doors))
    }
}

/// Every command that a thread's sessions take.
pub struct Commands {
    /// Sorted: some seventy kinds are found in six comparisons of short texts, which costs less than hashing one.
    by_kind: Box<[(&'static str, Place)]>,
    features: Box<[Box<dyn Feature>]>,
}

impl Commands {
    /// Where the command that was heard stands; for one that there is not, what its sender is told.
    pub fn find(&self, heard: &Heard<'_>) -> Result<Place, BadFrame> {
        let kind = &*heard.kind;
        match self.by_kind.binary_search_by_key(&kind, |(kind, _)| kind) {
            Ok(at) => self.by_kind.get(at).map(|(_, place)| *place).ok_or_else(|| heard.unknown(None)),
            Err(_) => Err(heard.unknown(self.nearest(kind))),
        }
    }

    /// Runs a command of a feature.
    pub fn run(
        &self,
        feature: usize,
        index: usize,
        heard: &Heard<'_>,
        session: &mut dyn Session,
    ) -> Result<(), BadFrame> {
        self.features.get(feature).map_or(Ok(()), |feature| feature.run(index, heard, session))
    }

    /// The kind that a client may have meant.
    fn nearest(&self, kind: &str) -> Option<&'static str> {
        let kind = shown(kind).to_ascii_lowercase();
        let alike = self.by_kind.iter().map(|(known, _)| (*known, strsim::jaro_winkler(known, &kind)));
        let best = alike.max_by(|(_, one), (_, other)| one.total_cmp(other));
        best.filter(|(_, alike)| *alike >= ALIKE_MIN).map(|(known, _)| known)
    }
}
