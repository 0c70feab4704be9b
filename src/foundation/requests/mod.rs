//! What handlers of every feature take from a request in the same way: a JSON object, a page of a list, and the key of a
//! change.
//!
//! Invariant: what the OpenAPI document says of a body, of `limit` and of cursors is checked here, so that all endpoints
//! answer alike. Each refusal is a problem that says what would be right.

mod idempotency;
mod json;
mod page;

pub use idempotency::{IdempotencyKey, KEY_BYTES_MAX};
pub use json::{JsonBody, OptionalJsonBody, object, optional_object};
pub use page::{CURSOR_CHARS_MAX, ListPage, PageQuery, PageSizes, one_more};
