//! How many sockets each account has open.

use std::sync::Arc;

use dashmap::DashMap;

use parlance_foundation::ids::UserId;

/// Accounts that have any.
type Open = Arc<DashMap<UserId, u32>>;

/// Counts them, over all worker threads.
pub(super) struct Sockets {
    open: Open,
    max: u32,
}

impl Sockets {
    pub(super) fn new(max: u32) -> Self {
        Self { open: Open::default(), max }
    }

    pub(super) fn max(&self) -> u32 {
        self.max
    }

    /// `None`: the account has as many as it may.
    pub(super) fn take(&self, user: UserId) -> Option<SocketPlace> {
        let mut count = self.open.entry(user).or_insert(0);
        if *count >= self.max {
            return None;
        }
        *count += 1;
        drop(count);
        Some(SocketPlace { user, open: Arc::clone(&self.open) })
    }
}

/// The right of one socket of an account to be here. Given back when dropped.
pub struct SocketPlace {
    user: UserId,
    open: Open,
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        self.open.remove_if_mut(&self.user, |_, count| {
            *count = count.saturating_sub(1);
            *count == 0
        });
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_socket_is_gone_and_nothing_is_kept_of_it() {
        let sockets = Sockets::new(2);
        let (ada, ben) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let (first, second) = (sockets.take(ada).unwrap(), sockets.take(ada).unwrap());
        assert!(sockets.take(ada).is_none());
        assert!(sockets.take(ben).is_some());
        drop(first);
        let again = sockets.take(ada);
        assert!(again.is_some() && sockets.take(ada).is_none());
        drop((second, again));
        assert!(sockets.open.is_empty());
    }
}
