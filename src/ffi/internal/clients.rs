//! What a client's handle stands for.

use super::boundary::{perform, Fault};
use super::handle::{Registry, CLIENT};
use crate::api::client::Client;
use crate::ffi::types::{resup_client, resup_status};

pub(crate) static CLIENTS: Registry<Client> = Registry::new("a client", CLIENT);

/// Returns the client of a handle.
pub(crate) fn client_of(handle: *const resup_client) -> Result<Client, Fault> {
    Ok((*CLIENTS.get(handle as usize)?).clone())
}

/// Runs the body of a setter; the message of its fault is kept for the client.
pub(crate) fn set(
    handle: *mut resup_client,
    body: impl FnOnce(&Client) -> Result<(), Fault>,
) -> resup_status {
    perform(handle as usize, || body(&*CLIENTS.get(handle as usize)?))
}
