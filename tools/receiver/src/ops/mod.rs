//! What the people who run the receiver need of it.

pub mod health;
pub mod metrics;
pub mod tls;
