//! What `/metrics` of a running engine says.

use reqwest::Method;
use serde_json::json;

use crate::testing::process::{Engine, engine_with};
use crate::testing::{Api, DataFolder, TestDatabase};

async fn scrape(engine: &Engine) -> String {
    reqwest::get(format!("{}/metrics", engine.base())).await.unwrap().text().await.unwrap()
}

fn value(metrics: &str, series: &str) -> f64 {
    let value = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in\n{metrics}")).parse().unwrap()
}

#[actix_rt::test]
async fn they_tell_of_the_messages_and_of_the_process_and_each_says_what_it_means() {
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let api = Api::new(engine.base());
    let ada = api.sign_up("ada").await;
    let room = api.group(std::slice::from_ref(&ada)).await;
    let body = json!({ "client_id": "1", "content": "hello" });
    api.ok(Method::POST, &format!("/api/v1/rooms/{room}/messages"), &ada.token, Some(body)).await;
    let metrics = scrape(&engine).await;
    assert!(value(&metrics, "parlance_messages_committed_total") >= 1.0);
    assert!(value(&metrics, "parlance_post_seconds_count") >= 1.0);
    assert_eq!(value(&metrics, "parlance_limited_total{limit=\"messages\"}"), 0.0);
    // More than a megabyte, and not of its pages or kilobytes.
    assert!(value(&metrics, "process_resident_memory_bytes") > 1e6);
    assert!(value(&metrics, "process_open_fds") >= 3.0);
    assert!(metrics.contains("\nprocess_cpu_seconds_total "), "{metrics}");
    let kinds = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let silent: Vec<_> = kinds.filter(|(name, _)| !metrics.contains(&format!("# HELP {name} "))).collect();
    assert!(silent.is_empty(), "describe these in telemetry.rs: {silent:?}");
    engine.stop().await;
}

#[actix_rt::test]
async fn what_the_readme_says_to_watch_is_there_before_it_happens() {
    let readme = include_str!("../../../../README.md");
    let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
    let words = readme.split(|character| !is_name(character));
    let names: Vec<&str> = words.filter(|word| word.starts_with("parlance_") && !word.contains("reader")).collect();
    assert!(names.len() > 12, "{names:?}");
    let (folder, database) = (DataFolder::new(), TestDatabase::create().await);
    let engine = Engine::start(engine_with(&folder, &database.url())).await;
    let metrics = scrape(&engine).await;
    let series: Vec<&str> = metrics.lines().filter(|line| !line.starts_with('#')).collect();
    for name in names {
        let count = format!("{name}_count");
        assert!(series.iter().any(|line| line.starts_with(name) || line.starts_with(&count)), "{name}\n{metrics}");
    }
    engine.stop().await;
}
