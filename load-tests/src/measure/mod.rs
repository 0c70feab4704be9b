//! Measuring: latencies, second by second, and the rate at which things are sent.

mod latency;
mod meter;
mod number;
mod pace;
mod progress;
mod reading;
mod wrong;

pub use latency::{Latency, Summary};
pub use meter::{Meter, Point, Sampler, cut_short};
pub use number::{PERCENT, RATES, RATES_OR_NONE, within};
pub use pace::{Due, Pace};
pub use progress::Progress;
pub use reading::{Reading, Spent};
