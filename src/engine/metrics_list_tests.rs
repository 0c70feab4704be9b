use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use serde_json::Value;

use super::*;

/// Notes what is described, with its kind.
#[derive(Default)]
struct Described(Mutex<BTreeMap<String, &'static str>>);

impl Described {
    fn note(&self, name: &KeyName, kind: &'static str) {
        self.0.lock().unwrap().insert(name.as_str().to_owned(), kind);
    }
}

impl Recorder for Described {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.note(&name, "counter");
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.note(&name, "gauge");
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.note(&name, "histogram");
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// The names of the series on `/metrics`, a histogram's three each.
fn exported() -> BTreeSet<String> {
    let described = Described::default();
    metrics::with_local_recorder(&described, describe);
    let described = described.0.into_inner().unwrap();
    let series = |(name, kind): (&String, &&str)| match *kind {
        "histogram" => ["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}")).to_vec(),
        _ => vec![name.clone()],
    };
    described.iter().flat_map(series).collect()
}

/// Every text under one of these keys, wherever it is.
fn texts<'a>(value: &'a Value, keys: &[&str], found: &mut Vec<&'a str>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, keys, found)),
        Value::Object(fields) => fields.iter().for_each(|(key, field)| match field.as_str() {
            Some(text) if keys.contains(&key.as_str()) => found.push(text),
            _ => texts(field, keys, found),
        }),
        _ => {}
    }
}

fn metrics_in(query: &str) -> impl Iterator<Item = &str> {
    query
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("parlance_") || word.starts_with("process_"))
}

#[test]
fn the_dashboard_asks_only_for_what_the_engine_exports() {
    let dashboard: Value = serde_json::from_str(include_str!("../../config/grafana-dashboard.json")).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard, &["expr", "query"], &mut queries);
    let asked: BTreeSet<&str> = queries.iter().flat_map(|query| metrics_in(query)).collect();
    assert!(asked.len() > 20, "found only {asked:?}");
    let exported = exported();
    let unknown: Vec<_> = asked.into_iter().filter(|name| !exported.contains(*name)).collect();
    assert!(unknown.is_empty(), "config/grafana-dashboard.json names metrics that the engine has not: {unknown:?}");
}

#[test]
fn every_query_of_the_dashboard_names_a_metric() {
    let dashboard: Value = serde_json::from_str(include_str!("../../config/grafana-dashboard.json")).unwrap();
    let mut queries = Vec::new();
    texts(&dashboard["panels"], &["expr"], &mut queries);
    let empty: Vec<_> = queries.into_iter().filter(|query| metrics_in(query).next().is_none()).collect();
    assert!(empty.is_empty(), "misspelt? {empty:?}");
}
