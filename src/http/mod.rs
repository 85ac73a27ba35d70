//! HTTP as the protocols use it: messages, addresses, and what goes along with every request.

pub(crate) mod certificates;
pub(crate) mod credentials;
pub(crate) mod endpoint;
mod message;
pub(crate) mod proxy;
pub(crate) mod secret;
pub(crate) mod session;

pub(crate) use message::{with_query, Body, Needs, Request, Response, Wire};
