//! What the people who run the receiver need.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`health`] | `/healthz`, for load balancers |
//! | [`metrics`] | counters for Prometheus |
//! | [`signals`] | the end, and SIGHUP |
//! | [`supervisor`] | what systemd is told |
//! | [`tls`] | TLS with certificates that can be renewed |

pub mod health;
pub mod metrics;
pub mod signals;
pub mod supervisor;
pub mod tls;
