//! What can be run: one file a scenario, each bounded in time and count, each cleaning up after itself.

pub mod at_size;
pub mod chatter;
pub mod compare;
pub mod connect;
pub mod fanout;
pub mod find_limit;
pub mod heap;
pub mod history;
pub mod idle;
pub mod mixed;
pub mod resume;
pub mod roles;
pub mod stall;

#[cfg(test)]
mod tests {
    use clap::{Args, Parser};

    use crate::check;
    use crate::engine::Needs;

    /// Their arguments as they are by default.
    fn defaults<A: Args>() -> A {
        #[derive(Parser)]
        struct Line<A: Args> {
            #[command(flatten)]
            args: A,
        }
        Line::parse_from(["parlance-load"]).args
    }

    /// By scenario, what it needs with these.
    fn all() -> Vec<(&'static str, Needs)> {
        use super::*;
        let soak = mixed::soak::mixed_of(&defaults());
        vec![
            ("fanout", fanout::needs(500)),
            ("chatter", chatter::needs(&defaults())),
            ("connect", connect::needs(&defaults())),
            ("idle", idle::needs(&defaults())),
            ("stall", fanout::needs(300)),
            ("resume", resume::needs(&defaults())),
            ("roles", roles::needs(&defaults())),
            ("history", history::needs(&defaults())),
            ("mixed", mixed::needs(&defaults())),
            ("soak", mixed::soak::needs(&soak)),
            ("compare", compare::needs(&defaults())),
            ("find-limit", find_limit::needs(&defaults())),
            ("check", check::needs(&defaults())),
            ("at-size", at_size::needs(&defaults())),
        ]
    }

    #[test]
    fn only_where_one_account_does_what_many_do_are_limits_raised() {
        let raised = |names: &[&str]| names.iter().map(|name| format!("limits.{name}")).collect::<Vec<_>>();
        let posting = raised(&["bytes_burst", "bytes_per_minute", "messages_burst", "messages_per_minute"]);
        for (scenario, needs) in all() {
            let limits: Vec<_> = needs.set_of_defaults().into_iter().filter(|key| key.starts_with("limits.")).collect();
            match scenario {
                "fanout" | "stall" | "compare" | "check" => assert_eq!(limits, posting, "{scenario}"),
                "find-limit" => assert_eq!(limits, raised(&["messages_per_minute"]), "{scenario}"),
                "history" => assert_eq!(limits, raised(&["messages_burst"]), "{scenario}"),
                // Who makes the space adds everybody to it.
                "mixed" | "soak" => assert_eq!(limits, raised(&["people_burst"]), "{scenario}"),
                _ => assert!(limits.is_empty(), "{scenario}: {limits:?}"),
            }
        }
    }

    #[test]
    fn every_key_that_is_set_is_one_of_the_engine() {
        for (scenario, needs) in all() {
            let unknown = needs.unknown_to_defaults();
            assert!(unknown.is_empty(), "{scenario}: {unknown:?}");
        }
    }
}
