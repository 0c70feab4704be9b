//! What was started, to be stopped the other way round.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;

type Stop = Box<dyn FnOnce(Duration) -> LocalBoxFuture<'static, ()>>;

/// Parts of the engine in the order of their start. Invariant: the last to start is the first to stop, and each has
/// ended before the one that it leaned on is told to.
#[derive(Default)]
pub struct StartOrder(Vec<(&'static str, Stop)>);

impl StartOrder {
    /// Notes a part that has been started, and how to stop it within some patience.
    pub fn started<F>(&mut self, name: &'static str, stop: impl FnOnce(Duration) -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        self.0.push((name, Box::new(move |patience| Box::pin(stop(patience)))));
    }

    /// Stops everything; each part gets up to `patience` before it is ended anyway.
    pub async fn stop(self, patience: Duration) {
        for (part, stop) in self.0.into_iter().rev() {
            tracing::debug!(part, "stopping");
            // A part that ignores its patience does not keep the rest from stopping.
            if tokio::time::timeout(patience * 2, stop(patience)).await.is_err() {
                tracing::warn!(part, "did not stop in time");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[actix_rt::test]
    async fn the_last_to_start_is_the_first_to_stop() {
        let stopped = Rc::new(RefCell::new(Vec::new()));
        let mut order = StartOrder::default();
        for name in ["persisters", "rooms", "edge"] {
            let stopped = Rc::clone(&stopped);
            order.started(name, move |_| async move { stopped.borrow_mut().push(name) });
        }
        order.stop(Duration::from_secs(1)).await;
        assert_eq!(*stopped.borrow(), ["edge", "rooms", "persisters"]);
    }
}
