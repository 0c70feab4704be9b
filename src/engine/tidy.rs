//! House rules that no compiler checks, as ordinary tests: each says why at the point of failure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Longer files are read by nobody.
const LINES_MAX: usize = 500;

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    sources_in(&["src"])
}

/// The engine, its benchmarks and its harness.
fn everything() -> Vec<Source> {
    sources_in(&["src", "benches", "load-tests/src"])
}

fn sources_in(folders: &[&str]) -> Vec<Source> {
    let root = &root();
    let mut folders: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let shown = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path: shown, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    assert!(found.len() > 5, "the walk found only {} files", found.len());
    found
}

/// Tests, and what only tests use.
fn is_test(path: &str) -> bool {
    path.contains("/tests")
        || path.contains("/stories")
        || path.contains("/testing")
        || path.ends_with("_tests.rs")
        || path.ends_with("tidy.rs")
}

fn offenders(rule: impl Fn(&Source) -> bool) -> Vec<String> {
    offenders_in(sources(), rule)
}

fn offenders_in(sources: Vec<Source>, rule: impl Fn(&Source) -> bool) -> Vec<String> {
    sources.into_iter().filter(|source| rule(source)).map(|source| source.path).collect()
}

#[test]
fn files_stay_short() {
    let long = offenders_in(everything(), |source| source.text.lines().count() > LINES_MAX);
    assert!(long.is_empty(), "split these by verb, not by layer: {long:?}");
}

#[test]
fn every_module_says_what_it_is() {
    let silent = offenders_in(everything(), |source| !source.text.starts_with("//!") && !is_test(&source.path));
    assert!(silent.is_empty(), "begin with //!: what it is, what it receives and emits, its invariants: {silent:?}");
}

/// Folders, each with those that it may name.
type Arrows = &'static [(&'static str, &'static [&'static str])];

/// Which folder of a crate may name which others of the same crate: down the list only, so that there is no circle. What
/// crates may name of each other, Cargo holds.
const ARROWS: &[(&str, Arrows)] = &[
    (
        "foundation",
        &[
            ("requests", &["problem"]),
            ("problem", &["storage", "telemetry"]),
            ("storage", &["checks", "ids"]),
            ("telemetry", &["checks"]),
            ("party", &["ids"]),
            ("ids", &["clock"]),
            ("supervision", &["checks"]),
        ],
    ),
    (
        "core",
        &[
            ("sessions", &["accounts", "changes", "commands", "limits", "order", "publish", "rooms", "wire"]),
            ("vault", &["accounts", "jobs"]),
            (
                "rooms",
                &[
                    "accounts",
                    "changes",
                    "commands",
                    "jobs",
                    "limits",
                    "order",
                    "parties",
                    "persistence",
                    "publish",
                    "text_enum",
                    "tree",
                    "wire",
                ],
            ),
            ("commands", &["wire"]),
            ("administration", &["accounts", "jobs"]),
            ("parties", &["accounts", "jobs", "limits", "text_enum"]),
            ("accounts", &["changes", "jobs"]),
            ("jobs", &["changes", "text_enum", "tree"]),
            ("persistence", &["order"]),
            ("publish", &["order"]),
            ("order", &["text_enum"]),
        ],
    ),
    ("messaging", &[("edits", &[])]),
    (
        "engine",
        &[
            ("tools", &["app", "config", "demo", "schema"]),
            ("app", &["config", "demo", "edge", "metrics_list", "schema"]),
            ("metrics_list", &["edge"]),
            ("edge", &["config", "docs", "protocol", "server_config", "web"]),
            ("docs", &["config", "protocol"]),
            ("config", &["demo", "server_config"]),
        ],
    ),
];

#[test]
fn folders_name_only_those_below_them() {
    for (member, arrows) in ARROWS {
        for (place, (from, to)) in arrows.iter().enumerate() {
            let above = arrows[..place].iter().any(|(folder, _)| to.contains(folder));
            assert!(!above && !to.contains(from), "{member}: {from} may name only what stands below it in the list");
        }
        let folder = format!("src/{member}/");
        // The crate's root re-exports what is below it, under the same names.
        let own: BTreeSet<String> = std::fs::read_dir(root().join(&folder))
            .unwrap()
            .map(|entry| folder_of(&entry.unwrap().file_name().to_string_lossy()))
            .collect();
        for source in sources_in(&[&folder]).iter().filter(|source| !is_test(&source.path)) {
            let from = folder_of(&source.path[folder.len()..]);
            if ["lib", "main"].contains(&from.as_str()) {
                continue;
            }
            let allowed = arrows.iter().find(|(folder, _)| *folder == from).map_or(&[][..], |(_, to)| to);
            let code = source.text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for named in code.flat_map(|line| line.split("crate::").skip(1)) {
                let list = named.strip_prefix('{').map_or_else(
                    || named.split(|c: char| !c.is_alphanumeric() && c != '_').take(1).collect(),
                    |names| names.split('}').next().unwrap_or_default().split(", ").collect::<Vec<_>>(),
                );
                for name in list {
                    let to = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                    let fine = to == from || !own.contains(to) || allowed.contains(&to);
                    assert!(fine, "{} names {to}: not among the arrows of {member}", source.path);
                }
            }
        }
    }
}

/// The first part of a path in a crate.
fn folder_of(path: &str) -> String {
    path.split('/').next().unwrap_or_default().trim_end_matches(".rs").to_owned()
}

#[test]
fn sql_stands_in_stores_only() {
    let outside = offenders(|source| {
        let allowed = source.path.contains("/store") || source.path.starts_with("src/foundation/storage");
        !allowed && !is_test(&source.path) && source.text.contains("sqlx::query")
    });
    assert!(outside.is_empty(), "one file a feature has its SQL, so that a schema change is one search: {outside:?}");
}

#[test]
fn nothing_is_sent_past_a_mailbox_bound() {
    let named = offenders(|source| source.path != "src/engine/tidy.rs" && source.text.contains(".do_send("));
    assert!(
        named.is_empty(),
        "do_send ignores the mailbox bound: send through an ActorHandle; a session of the same thread is reached through its link: {named:?}"
    );
}

#[test]
fn pure_cores_know_no_actors_clocks_or_io() {
    let impure = offenders(|source| {
        let pure = ["/state.rs", "/window.rs", "/outbox.rs", "/batch.rs", "/permissions.rs"];
        let core = source.text.split("#[cfg(test)]").next().unwrap_or_default();
        pure.iter().any(|name| source.path.ends_with(name))
            && ["use actix", "Instant::now", "Clock", "tokio::", ".await", "sqlx::"]
                .iter()
                .any(|word| core.contains(word))
    });
    assert!(impure.is_empty(), "pass time and results in; effects belong to the shell: {impure:?}");
}

#[test]
fn no_drawers_for_odds_and_ends() {
    let drawers = offenders_in(everything(), |source| {
        ["/utils", "/common", "/helpers", "/manager", "/misc"].iter().any(|name| source.path.contains(name))
    });
    assert!(drawers.is_empty(), "name it after what it does: {drawers:?}");
}

#[test]
fn migrations_are_named_by_time_and_name_no_schema() {
    let folder = &root().join("migrations");
    let mut times = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with(".sql") {
            continue;
        }
        let is_named_well = name.len() > 13 && name[..12].chars().all(|c| c.is_ascii_digit()) && &name[12..13] == "_";
        assert!(is_named_well, "YYYYMMDDHHMM_feature_what.sql: {name}");
        assert!(times.insert(name[..12].to_owned()), "another one has the same time, which is its version: {name}");
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let says = |words: &str| text.lines().any(|line| !line.trim_start().starts_with("--") && line.contains(words));
        assert!(
            !says("public") && !says("search_path ="),
            "the schema is the operator's choice; a function that names tables has SET search_path FROM CURRENT: {name}"
        );
    }
}
