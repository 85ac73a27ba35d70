//! The library's objects, with the settings of the command line.

use std::time::Duration;

use resup::{Client, Error, Upload};

use crate::exit::Fault;
use crate::options::Put;
use crate::state::StateFiles;
use crate::stdin;
use crate::stop::Stop;
use crate::tree::Item;

/// The longest wait before the second attempt. The next waits are twice as long each.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// Makes a client with all settings but those about the user.
pub fn client(put: &Put) -> Result<Client, Fault> {
    put.transfer.check()?;
    let client = Client::new(put.url()?).map_err(Fault::usage)?;
    set_client(put, &client).map_err(Fault::usage)?;
    if let Some(dialect) = put.transfer.dialect.text()? {
        client.set_dialect(&dialect).map_err(Fault::usage)?;
    }
    check_upload_settings(put, &client).map_err(Fault::usage)?;
    Ok(client)
}

/// Checks the settings of uploads before anything is sent.
fn check_upload_settings(put: &Put, client: &Client) -> Result<(), Error> {
    let mut upload = Upload::from_memory(client, [], "trial")?;
    set_upload(put, &mut upload)?;
    upload.set_directory(&put.file.directory)?;
    if let Some(name) = &put.file.name {
        upload.set_name(name)?;
    }
    Ok(())
}

/// Makes an upload of `item` with all settings.
pub fn upload(
    put: &Put,
    client: &Client,
    item: &Item,
    states: &StateFiles,
    stop: &Stop,
) -> Result<Upload, Error> {
    if let Some(error) = &item.obstacle {
        return Err(error.clone());
    }
    let mut upload = match item.is_stdin() {
        true => Upload::from_reader(client, stdin::reader(stop), &item.name)?,
        false => Upload::from_file(client, &item.path)?,
    };
    set_upload(put, &mut upload)?;
    upload.set_directory(&item.directory)?;
    upload.set_name(&item.name)?;
    if let Some(file) = states.file(put, item) {
        upload.set_key_file(file)?;
    }
    Ok(upload)
}

fn set_client(put: &Put, client: &Client) -> Result<(), Error> {
    let limits = &put.limits;
    if let Some(user) = &put.file.user {
        client.set_user(user)?;
    }
    client.set_user_agent(concat!("resup-cli/", env!("CARGO_PKG_VERSION")))?;
    client.set_protocol(put.transfer.protocol.into());
    client.set_filename_style(put.transfer.filename_style.into());
    client.set_locate_method(put.transfer.locate_method.into());
    client.set_creation_with_upload(put.transfer.creation_with_upload);
    client.set_rate_limit(put.transfer.rate.unwrap_or(0));
    if let Some(limit) = limits.connect_timeout {
        client.set_connect_timeout(limit)?;
    }
    if let Some(limit) = limits.stall_timeout {
        client.set_stall_timeout(limit)?;
    }
    if let Some(limit) = limits.response_timeout {
        client.set_response_timeout(limit)?;
    }
    if let Some(limit) = limits.retries {
        client.set_retry_limit(limit);
    }
    if let Some(limit) = limits.retry_timeout {
        client.set_retry_timeout(limit)?;
    }
    if let Some(longest) = limits.retry_max_wait {
        client.set_retry_backoff(FIRST_WAIT.min(longest), longest)?;
    }
    put.network.set(client)
}

/// Sets what is the same for all files.
fn set_upload(put: &Put, upload: &mut Upload) -> Result<(), Error> {
    if let Some(content_type) = &put.file.content_type {
        upload.set_content_type(content_type)?;
    }
    for (name, value) in &put.file.fields {
        upload.set_field(name, value)?;
    }
    if let Some(size) = put.transfer.segment {
        upload.set_segment_size(size)?;
    }
    if let Some(parts) = &put.transfer.parts.file {
        upload.set_parts(&parts.text)?;
    }
    if let Some(connections) = put.transfer.connections {
        upload.set_connections(connections)?;
    }
    upload.set_read_back(put.transfer.read_back)?;
    upload.set_digest_algorithm(put.transfer.digest.algorithm())?;
    upload.set_digest(put.transfer.digest_mode())
}
