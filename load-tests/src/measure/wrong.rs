//! What went wrong, how often, and why: a count alone sends whoever reads it looking.

use std::cell::RefCell;

/// Reasons that are told; what comes with others is only counted.
const REASONS_MAX: usize = 5;

/// The first few reasons, and how often each came.
#[derive(Debug, Default)]
pub struct Wrong {
    reasons: RefCell<Vec<(String, u64)>>,
}

impl Wrong {
    pub fn add(&self, why: &str) {
        let mut reasons = self.reasons.borrow_mut();
        if let Some((_, count)) = reasons.iter_mut().find(|(known, _)| known == why) {
            *count += 1;
        } else if reasons.len() < REASONS_MAX {
            reasons.push((why.to_owned(), 1));
        } else if let Some((last, count)) = reasons.last_mut() {
            // Whatever it was: the reasons before it say enough.
            "other reasons".clone_into(last);
            *count += 1;
        }
    }

    /// All of it in one line; empty when nothing went wrong.
    pub fn told(&self) -> String {
        let told = |(why, count): &(String, u64)| format!("{count} × {why}");
        self.reasons.borrow().iter().map(told).collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_counted_and_few() {
        let wrong = Wrong::default();
        assert_eq!(wrong.told(), "");
        for why in ["a gap", "a double", "a gap"] {
            wrong.add(why);
        }
        assert_eq!(wrong.told(), "2 × a gap; 1 × a double");
        for number in 0..10 {
            wrong.add(&format!("number {number}"));
        }
        assert!(wrong.told().ends_with("1 × number 1; 8 × other reasons"), "{}", wrong.told());
    }
}
