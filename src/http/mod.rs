//! HTTP as the protocols use it: messages, URLs, credentials, sessions and proxies.

pub(crate) mod certificates;
pub(crate) mod check;
pub(crate) mod credentials;
pub(crate) mod endpoint;
mod exchange;
mod key_files;
mod message;
pub(crate) mod proxy;
mod refusal;
pub(crate) mod secret;
pub(crate) mod session;
pub(crate) mod tls_faults;

pub(crate) use exchange::Exchange;
pub(crate) use message::{with_query, Body, Needs, Request, Response};
pub(crate) use refusal::{excerpt, limited, refusal};
