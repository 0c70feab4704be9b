//! The supervision tree: one list, in start order. Stopping goes the other way round.
//!
//! Every supervised actor takes its restart rule from here: the nodes are constants, so that the compiler knows which
//! there are. Invariant: each is in [`TREE`], which the same list makes; a test holds the README's picture to [`picture`].

use std::time::Duration;

use parlance_foundation::supervision::{OnSpent, RestartRule, Spec};

/// One kind of actor in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The actor's type.
    pub actor: &'static str,
    /// How deep below `App` it is.
    depth: usize,
    /// How many there are.
    many: &'static str,
    restart: RestartRule,
    on_spent: OnSpent,
    /// What it does.
    what: &'static str,
}

const SECONDS_60: Duration = Duration::from_secs(60);
const OFTEN: RestartRule = RestartRule::Restart { max: 5, within: SECONDS_60 };

/// Makes a constant of each line, and of all of them the list.
macro_rules! tree {
    ($($node:ident = $kept:expr;)+) => {
        $(pub const $node: Node = $kept;)+

        /// Every actor, in start order.
        pub const TREE: &[Node] = &[$($node),+];
    };
}

tree! {
    PERSISTER = Node {
        actor: "Persister",
        depth: 1,
        many: "×N",
        restart: OFTEN,
        on_spent: OnSpent::Escalate,
        what: "batches writes into group commits",
    };
    ROOM_DIRECTORY = Node {
        actor: "RoomDirectory",
        depth: 1,
        many: "one a room thread",
        restart: OFTEN,
        on_spent: OnSpent::Escalate,
        what: "opens rooms on demand, lets idle ones go",
    };
    ROOM = Node {
        actor: "Room",
        depth: 2,
        many: "…",
        restart: RestartRule::Restart { max: 3, within: SECONDS_60 },
        on_spent: OnSpent::GiveUp,
        what: "one conversation: order, members, recent past",
    };
    CHANGE_LISTENER = Node {
        actor: "ChangeListener",
        depth: 1,
        many: "one",
        restart: OFTEN,
        on_spent: OnSpent::Escalate,
        what: "hears what was changed in Postgres, here or elsewhere",
    };
    JOBS = Node {
        actor: "Jobs",
        depth: 1,
        many: "one",
        restart: OFTEN,
        on_spent: OnSpent::Escalate,
        what: "runs what follows a commit or is due at a time",
    };
    HUB = Node {
        actor: "Hub",
        depth: 1,
        many: "one a worker thread",
        restart: OFTEN,
        on_spent: OnSpent::Escalate,
        what: "which local session listens to which room",
    };
    USER_SESSION = Node {
        actor: "UserSession",
        depth: 2,
        many: "…",
        restart: RestartRule::Never,
        on_spent: OnSpent::GiveUp,
        what: "one connected device; its client reconnects",
    };
}

impl Node {
    /// How an actor of this kind is kept, under `name`.
    pub fn spec(&self, name: String, mailbox_max: usize) -> Spec {
        Spec { name, kind: self.actor, mailbox_max, restart: self.restart, on_spent: self.on_spent }
    }
}

/// The tree as text, as `parlance tree` prints it.
pub fn picture() -> String {
    let mut lines = vec!["App".to_owned()];
    for (index, node) in TREE.iter().enumerate() {
        let later = || TREE.iter().skip(index + 1);
        let has_sibling = |depth| later().take_while(|n| n.depth >= depth).any(|n| n.depth == depth);
        let mut line = String::new();
        for depth in 1..node.depth {
            line.push_str(if has_sibling(depth) { "│  " } else { "   " });
        }
        line.push_str(if has_sibling(node.depth) { "├─ " } else { "└─ " });
        line.push_str(&format!("{} {}", node.actor, node.many));
        let padded = 38_usize.saturating_sub(line.chars().count());
        line.push_str(&" ".repeat(padded));
        line.push_str(&format!("{}; {}", node.what, rule(node)));
        lines.push(line);
    }
    lines.join("\n")
}

fn rule(node: &Node) -> String {
    match (node.restart, node.on_spent) {
        (RestartRule::Never, _) => "not restarted".into(),
        (RestartRule::Restart { max, within }, OnSpent::Escalate) => {
            format!("{max} restarts in {} s, then the engine stops", within.as_secs())
        }
        (RestartRule::Restart { max, within }, OnSpent::GiveUp) => {
            format!("{max} restarts in {} s, then opened anew on next use", within.as_secs())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_the_tree_as_it_is() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&picture()), "put this into README.md:\n{}", picture());
    }

    #[test]
    fn every_listed_actor_keeps_its_own_rule() {
        for node in TREE {
            let spec = node.spec("app/x".into(), 1);
            assert_eq!((spec.kind, spec.restart, spec.on_spent), (node.actor, node.restart, node.on_spent));
        }
        let mut actors: Vec<_> = TREE.iter().map(|node| node.actor).collect();
        actors.dedup();
        assert_eq!(actors.len(), TREE.len(), "each is listed once");
    }
}
