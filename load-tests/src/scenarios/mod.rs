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
pub mod stall;
