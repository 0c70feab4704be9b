//! The command that repeats a run: the same schedule, on an engine with the same settings.

use super::CheckArgs;
use crate::engine::TargetArgs;
use crate::report::without_secret;

/// See the module. It stands in the report: the binary and secrets are for the caller to name again.
pub fn command(args: &CheckArgs, seed: u64, target: &TargetArgs) -> String {
    let faults: Vec<String> = args.faults.iter().map(ToString::to_string).collect();
    let faults = if faults.is_empty() { String::new() } else { format!(" --faults {}", faults.join(",")) };
    let url = target.url.as_ref().map(|url| format!(" --url {}", quoted(url))).unwrap_or_default();
    let set = |setting: &String| format!(" --set {}", quoted(&without_secret(setting)));
    let settings: Vec<String> = target.settings.iter().map(set).collect();
    let settings = settings.concat();
    let CheckArgs { seconds, users, rooms, rate, every, .. } = args;
    format!(
        "parlance-load check --seed {seed} --seconds {seconds} --users {users} --rooms {rooms} --rate {rate} \
         --every {every}s{faults}{url}{settings}"
    )
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,:/=+@%".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: CheckArgs,
        #[command(flatten)]
        target: TargetArgs,
    }

    #[test]
    fn it_has_everything_that_decides_a_run() {
        let typed = "check --seconds 3 --users 5 --rooms 1 --rate 20 --every 0.5s --faults cut,flood \
                     --set chat.content_bytes_max=8 --set log.level=debug";
        let line = Line::parse_from(typed.split_whitespace());
        let rest = typed.strip_prefix("check").unwrap();
        assert_eq!(command(&line.args, 7, &line.target), format!("parlance-load check --seed 7{rest}"));
    }

    #[test]
    fn secrets_stay_here() {
        let typed = "check --set storage.database_url=postgres://me:mine@localhost/parlance";
        let line = Line::parse_from(typed.split_whitespace());
        let said = command(&line.args, 7, &line.target);
        assert!(said.contains("storage.database_url=") && !said.contains("mine"), "{said}");
    }

    #[test]
    fn a_shell_takes_settings_for_one_word() {
        assert_eq!(quoted("server.allowed_origins=[\"a b\"]"), "'server.allowed_origins=[\"a b\"]'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
