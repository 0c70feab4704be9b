//! `heap`: whose are the bytes of an idle session?
//!
//! Runs `idle` twice on an engine built with `--features heap-profile`, which says at its end which code held how much
//! when the heap was at its largest: with all sessions there. What the larger run holds more, divided among the sessions
//! that it has more, is what one session costs; what the engine holds anyway falls out.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use clap::Args;
use serde::Deserialize;

use super::idle::{self, IdleArgs};
use crate::engine::TargetArgs;
use crate::report::Report;

#[derive(Args, Clone, Debug)]
pub struct HeapArgs {
    /// Sessions of the larger run; the smaller one has half as many
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u32).range(200..=50_000))]
    pub sessions: u32,
    /// Rooms of each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=200))]
    pub rooms: u32,
    /// Members of a room
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    pub room_size: u32,
    /// Places that hold less than this many bytes of a session are summed up
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub bytes_min: u32,
}

/// What such an engine leaves behind: where it runs, which is its data folder.
const PROFILE: &str = "dhat-heap.json";

/// Bytes and blocks by the code that holds them.
type Holdings = BTreeMap<String, (f64, f64)>;

pub async fn run(args: &HeapArgs, target: &TargetArgs) -> anyhow::Result<Report> {
    ensure!(
        target.url.is_none() && target.data_dir.is_none(),
        "heap starts engines of its own, on folders that it removes: leave --url and --data-dir out"
    );
    let small = profile(args, target, args.sessions / 2).await?;
    let large = profile(args, target, args.sessions).await?;
    let more = f64::from(args.sessions - args.sessions / 2);
    let mut each: Vec<(String, f64, f64)> = large
        .into_iter()
        .map(|(place, (bytes, blocks))| {
            let (less_bytes, less_blocks) = small.get(&place).copied().unwrap_or_default();
            (place, (bytes - less_bytes) / more, (blocks - less_blocks) / more)
        })
        .collect();
    each.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut report = Report::of("heap")
        .setting("sessions", args.sessions)
        .setting("rooms each", args.rooms)
        .setting("room size", args.room_size);
    report.figure("a session", each.iter().map(|(_, bytes, _)| bytes).sum(), "bytes");
    let (shown, rest): (Vec<_>, Vec<_>) =
        each.into_iter().partition(|(_, bytes, _)| *bytes >= f64::from(args.bytes_min));
    for (place, bytes, blocks) in &shown {
        report.figure(place, *bytes, &format!("bytes in {blocks:.2} blocks"));
    }
    report.figure("everything else", rest.iter().map(|(_, bytes, _)| bytes).sum(), "bytes");
    Ok(report)
}

/// What the heap held with so many idle sessions.
async fn profile(args: &HeapArgs, target: &TargetArgs, sessions: u32) -> anyhow::Result<Holdings> {
    // The memory of one password hash would be the largest heap that there ever is.
    let mut target = target.clone();
    target.settings.push("auth.argon2_memory_kib=64".to_owned());
    let idle = IdleArgs { sessions, rooms: args.rooms, room_size: args.room_size, seconds: 1 };
    let target = target.open(&idle::needs(&idle)).await?;
    // The folder goes with the last that know it, however this ends.
    let launch = target.own.as_ref().context("an engine of ours")?.launch();
    let report = idle::watch(&idle, &target).await?;
    target.close().await?;
    ensure!(report.failures.is_empty(), "{}", report.failures.join("; "));
    let text = std::fs::read_to_string(launch.folder().join(PROFILE)).with_context(|| {
        format!("the engine wrote no {PROFILE}: build one with `--features heap-profile` and name it with --engine")
    })?;
    holdings(&text)
}

/// The part of DHAT's format that counts here.
#[derive(Deserialize)]
struct Dhat {
    #[serde(rename = "pps")]
    points: Vec<Point>,
    #[serde(rename = "ftbl")]
    frames: Vec<String>,
}

/// One way through the code to an allocation, and what of it was there when the heap was at its largest.
#[derive(Deserialize)]
struct Point {
    #[serde(rename = "gb")]
    bytes: f64,
    #[serde(rename = "gbk")]
    blocks: f64,
    /// From the allocation outwards.
    #[serde(rename = "fs")]
    frames: Vec<usize>,
}

fn holdings(profile: &str) -> anyhow::Result<Holdings> {
    let dhat: Dhat = serde_json::from_str(profile).context("the profile is not in DHAT's format")?;
    let mut holdings = Holdings::new();
    for point in &dhat.points {
        let frames = point.frames.iter().filter_map(|index| dhat.frames.get(*index));
        let held = holdings.entry(place(frames.map(String::as_str))).or_default();
        held.0 += point.bytes;
        held.1 += point.blocks;
    }
    Ok(holdings)
}

/// The innermost frame of the engine's own; for code that only others are part of, theirs.
fn place<'a>(frames: impl Iterator<Item = &'a str> + Clone) -> String {
    let frames = frames.filter_map(Frame::parse);
    let own = frames.clone().find(Frame::is_own);
    let found = own.or_else(|| frames.clone().find(|frame| !frame.is_plumbing()));
    found.map_or_else(|| "unknown".to_owned(), |frame| frame.shown())
}

/// What of the engine's code lies in folders, as much of their path as DHAT keeps.
const FOLDERS: [&str; 25] = [
    "accounts",
    "changes",
    "core",
    "docs",
    "edge",
    "engine",
    "foundation",
    "jobs",
    "limits",
    "messaging",
    "order",
    "parties",
    "persistence",
    "requests",
    "room",
    "rooms",
    "sessions",
    "state",
    "storage",
    "supervision",
    "telemetry",
    "tools",
    "vault",
    "web",
    "wire",
];

/// `0x1234: function::<T> (src/file.rs:1:2)`: of the path, DHAT keeps the last three parts.
#[derive(Clone, Copy)]
struct Frame<'a> {
    function: &'a str,
    file: &'a str,
    line: &'a str,
}

impl<'a> Frame<'a> {
    fn parse(frame: &'a str) -> Option<Self> {
        let (_, rest) = frame.split_once(": ")?;
        let (function, place) = rest.strip_suffix(')')?.rsplit_once(" (")?;
        let (file, line) = place.rsplit_once(':')?.0.rsplit_once(':')?;
        Some(Self { function, file, line })
    }

    /// In one of the engine's features, or beside them.
    fn is_own(&self) -> bool {
        let Some((folders, _)) = self.file.rsplit_once('/') else { return false };
        folders.split('/').any(|folder| FOLDERS.contains(&folder))
    }

    /// Allocates for somebody.
    fn is_plumbing(&self) -> bool {
        let parts = ["alloc/", "raw_vec/", "src/vec/", "dhat-", "alloc.rs", "boxed.rs", "sync.rs", "rc.rs", "main.rs"];
        parts.iter().any(|part| self.file.contains(part))
    }

    fn shown(&self) -> String {
        let name = self.function.split('<').next().unwrap_or_default();
        // Futures and closures are named after their place, which stands there already.
        let name = if name.starts_with('{') { "" } else { name };
        format!("{}:{} {name}", self.file.trim_start_matches("src/"), self.line).trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn bytes_belong_to_the_innermost_code_of_the_engine() {
        let profile = r#"{
            "pps": [
                {"gb": 100, "gbk": 2, "fs": [1, 2, 4]},
                {"gb": 20, "gbk": 1, "fs": [1, 3, 4]},
                {"gb": 7, "gbk": 1, "fs": [0, 1, 4]}
            ],
            "ftbl": [
                "[root]",
                "0x1: with_capacity_in<u8, alloc::alloc::Global> (src/raw_vec/mod.rs:177:20)",
                "0x2: new<parlance_core::sessions::Link> (core/sessions/link.rs:3:4)",
                "0x3: {async_fn#0} (rooms/store/cards.rs:5:6)",
                "0x4: poll (runtime/task/raw.rs:7:8)"
            ]
        }"#;
        let found = holdings(profile).unwrap();
        let shown: Vec<_> = found.iter().map(|(place, held)| (place.as_str(), held.0)).collect();
        let expected = [
            ("core/sessions/link.rs:3 new", 100.0),
            ("rooms/store/cards.rs:5", 20.0),
            ("runtime/task/raw.rs:7 poll", 7.0),
        ];
        assert_eq!(shown, expected);
    }

    /// Those below this one, however deep.
    fn folders_in(folder: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).flat_map(|path| [folders_in(&path), vec![path]].concat()).collect()
    }

    #[test]
    fn every_folder_of_the_engine_is_known() {
        let mut folders = folders_in(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../src")));
        folders.retain(|folder| {
            !folder.iter().any(|part| ["tests", "testing", "stories"].iter().any(|tests| part == *tests))
        });
        for folder in &folders {
            let parts: Vec<_> = folder.iter().map(|part| part.to_str().unwrap()).collect();
            let file = format!("{}/mod.rs", parts[parts.len() - 2..].join("/"));
            assert!(Frame { function: "", file: &file, line: "" }.is_own(), "{file}");
        }
        for known in FOLDERS {
            assert!(folders.iter().any(|folder| folder.ends_with(known)), "{known} is not there any more");
        }
    }
}
