//! Measuring: latencies, second by second, and the rate at which things are sent.

mod latency;
mod meter;
mod pace;
mod progress;
mod reading;

pub use latency::{Latency, Summary};
pub use meter::{Meter, Point, Sampler};
pub use pace::{Due, Pace};
pub use progress::Progress;
pub use reading::{Reading, Spent};
