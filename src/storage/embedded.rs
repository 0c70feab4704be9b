//! placeholder until the embedded server lands
