//! HTTP as the protocols use it: messages, URLs, credentials, sessions and proxies.

pub(crate) mod certificates;
mod challenge;
pub(crate) mod check;
mod clock;
pub(crate) mod credentials;
pub(crate) mod endpoint;
mod exchange;
mod foreign;
mod key_files;
mod message;
pub(crate) mod proxy;
mod refusal;
pub(crate) mod secret;
pub(crate) mod session;
mod text;
pub(crate) mod tls_faults;

pub(crate) use challenge::{challenge, schemes};
pub(crate) use clock::clock_hint;
pub(crate) use exchange::{Exchange, Link};
pub(crate) use foreign::{banner, instead, reason, speaks_ietf, spoken, Spoken};
pub(crate) use message::{with_query, Body, Needs, Request, Response, MAX_REDIRECTS};
pub(crate) use refusal::{refusal, refusal_of};
pub(crate) use text::{excerpt, limited, status_and_words, without_bom};
