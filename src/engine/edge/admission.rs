//! What unfinished requests may hold together: how many an address has, and bytes of bodies.
//!
//! Shared by all worker threads. Invariant: what a [`Place`] counts is given back when it is dropped, so that nothing
//! stays counted once its connection is gone; an address without unfinished requests is not remembered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use metrics::{Unit, describe_counter, describe_gauge};

use crate::accounts::ClientAddress;
use crate::problem::Problem;
use crate::server_config::ServerConfig;

const REFUSED: &str = "parlance_requests_refused_total";
/// The part of `bodies_bytes_max` that one address may have.
const SHARE_OF_ONE_ADDRESS: usize = 4;
/// When whoever was refused for others' sake should try again.
const TRY_AGAIN_MS: u64 = 1_000;

/// Why a request is not answered as it would like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its address has too many unfinished requests.
    TooMany,
    /// Its address has too many bytes of bodies.
    AddressBytes,
    /// All addresses together have.
    Bytes,
    /// Its body comes too slowly.
    SlowBody,
    /// It was not whole in time.
    Timeout,
    /// It was whole, and the engine had no answer in time.
    NoAnswer,
    /// Its connection stood still without an answer being due: half a head, a body that nobody reads any more.
    Unfinished,
    /// Its head is too long.
    LongHead,
    /// Its answer is read too slowly.
    SlowReader,
}

impl Reason {
    const ALL: [Self; 9] = [
        Self::TooMany,
        Self::AddressBytes,
        Self::Bytes,
        Self::SlowBody,
        Self::Timeout,
        Self::NoAnswer,
        Self::Unfinished,
        Self::LongHead,
        Self::SlowReader,
    ];

    /// As a label of a metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooMany => "too_many",
            Self::AddressBytes => "address_bytes",
            Self::Bytes => "bytes",
            Self::SlowBody => "slow_body",
            Self::Timeout => "timeout",
            Self::NoAnswer => "no_answer",
            Self::Unfinished => "unfinished",
            Self::LongHead => "long_head",
            Self::SlowReader => "slow_reader",
        }
    }

    /// What its client is told, where there is still somebody to tell.
    pub fn problem(self, config: &ServerConfig) -> Problem {
        let ServerConfig { request_timeout_ms, transfer_window_ms, transfer_bytes_per_s_min, .. } = config;
        match self {
            Self::TooMany | Self::AddressBytes => Problem::too_many(
                "request.too_many_unfinished",
                "This address has as many unfinished requests, or bytes of their bodies, as it may. Wait until some are \
                 answered.",
                TRY_AGAIN_MS,
            ),
            Self::Bytes => Problem::busy(TRY_AGAIN_MS),
            Self::SlowBody => Problem::timed_out(
                "request.too_slow",
                format!(
                    "In each {transfer_window_ms} ms a body must come with {transfer_bytes_per_s_min} bytes a second. Send \
                     it again, faster."
                ),
            ),
            Self::NoAnswer => Problem::unavailable(TRY_AGAIN_MS),
            Self::Timeout | Self::Unfinished | Self::LongHead | Self::SlowReader => Problem::timed_out(
                "request.timeout",
                format!("The request was not whole within {request_timeout_ms} ms. Send it again."),
            ),
        }
    }
}

/// The counts of the whole engine.
pub struct Admission {
    requests_max: usize,
    bytes_max: usize,
    bytes: AtomicUsize,
    addresses: DashMap<ClientAddress, Load>,
    requests_gauge: metrics::Gauge,
    bytes_gauge: metrics::Gauge,
}

#[derive(Default)]
struct Load {
    requests: usize,
    bytes: usize,
}

impl Admission {
    pub fn new(config: &ServerConfig) -> Arc<Self> {
        for reason in Reason::ALL {
            metrics::counter!(REFUSED, "reason" => reason.name()).absolute(0);
        }
        Arc::new(Self {
            requests_max: config.unfinished_per_address_max,
            bytes_max: config.bodies_bytes_max,
            bytes: AtomicUsize::new(0),
            addresses: DashMap::new(),
            requests_gauge: metrics::gauge!("parlance_requests_unfinished"),
            bytes_gauge: metrics::gauge!("parlance_request_bodies_bytes"),
        })
    }

    /// A place for one more request of this address, unless it has as many as it may.
    pub(super) fn enter(self: &Arc<Self>, address: ClientAddress) -> Result<Place, Reason> {
        let mut load = self.addresses.entry(address).or_default();
        if load.requests >= self.requests_max {
            return Err(Reason::TooMany);
        }
        load.requests += 1;
        drop(load);
        self.requests_gauge.increment(1.0);
        Ok(Place { admission: Arc::clone(self), address, bytes: 0 })
    }

    pub(super) fn refused(&self, reason: Reason) {
        metrics::counter!(REFUSED, "reason" => reason.name()).increment(1);
    }
}

/// Tells `/metrics` what these mean; for the start of the engine.
pub fn describe_metrics() {
    describe_gauge!("parlance_requests_unfinished", Unit::Count, "HTTP requests that are not yet whole or answered");
    describe_gauge!("parlance_request_bodies_bytes", Unit::Bytes, "Bytes of the bodies of unfinished HTTP requests");
    describe_counter!(
        REFUSED,
        Unit::Count,
        "HTTP requests refused or cut off because of what they hold or how slow they are, by reason"
    );
}

/// One unfinished request.
pub(super) struct Place {
    admission: Arc<Admission>,
    address: ClientAddress,
    bytes: usize,
}

impl Place {
    /// Counts bytes that are held already; an error when they are too many.
    pub fn charge(&mut self, bytes: usize) -> Result<(), Reason> {
        let admission = &self.admission;
        self.bytes += bytes;
        let together = admission.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        admission.bytes_gauge.increment(as_gauge(bytes));
        let of_address = admission.addresses.get_mut(&self.address).map_or(0, |mut load| {
            load.bytes += bytes;
            load.bytes
        });
        if of_address > admission.bytes_max / SHARE_OF_ONE_ADDRESS {
            return Err(Reason::AddressBytes);
        }
        if together > admission.bytes_max { Err(Reason::Bytes) } else { Ok(()) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let admission = &self.admission;
        admission.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        admission.bytes_gauge.decrement(as_gauge(self.bytes));
        admission.requests_gauge.decrement(1.0);
        if let Entry::Occupied(mut load) = admission.addresses.entry(self.address) {
            load.get_mut().requests -= 1;
            load.get_mut().bytes -= self.bytes;
            if load.get().requests == 0 {
                load.remove();
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_gauge(bytes: usize) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(requests_max: usize, bytes_max: usize) -> Arc<Admission> {
        let mut config = crate::testing::defaults::<ServerConfig>("server");
        (config.unfinished_per_address_max, config.bodies_bytes_max) = (requests_max, bytes_max);
        Admission::new(&config)
    }

    fn address(last: u8) -> ClientAddress {
        ClientAddress::from([192, 0, 2, last])
    }

    #[test]
    fn an_address_has_so_many_places_and_others_have_theirs() {
        let admission = admission(2, 1_000);
        let first = admission.enter(address(1)).unwrap();
        let _second = admission.enter(address(1)).unwrap();
        assert_eq!(admission.enter(address(1)).err(), Some(Reason::TooMany));
        let _other = admission.enter(address(2)).unwrap();
        drop(first);
        admission.enter(address(1)).unwrap();
    }

    #[test]
    fn bytes_are_bounded_by_address_and_in_all_and_come_back() {
        let admission = admission(10, 400);
        let mut places: Vec<Place> = (0..5).map(|last| admission.enter(address(last)).unwrap()).collect();
        for place in &mut places[..4] {
            place.charge(100).unwrap();
        }
        assert_eq!(places[0].charge(1), Err(Reason::AddressBytes));
        assert_eq!(places[4].charge(1), Err(Reason::Bytes));
        places.drain(..2);
        places[2].charge(99).unwrap();
        places.clear();
        assert_eq!((admission.bytes.load(Ordering::Relaxed), admission.addresses.len()), (0, 0));
    }
}
