//! `resup_client`: a server, and what all uploads to it share.

use std::ffi::c_char;
use std::time::Duration;

use super::boundary::{enter, last_message, perform, Fault};
use super::handle::{Registry, CLIENT};
use super::status::{resup_status, RESUP_E_ARGUMENT, RESUP_E_NULL, RESUP_OK};
use super::text::text;
use crate::client::Client;
use crate::config::LocateMethod;

/// A server, and what all uploads to it share.
pub struct resup_client(());

/// Ask by POST, which no cache answers. The default.
pub const RESUP_LOCATE_POST: i32 = 0;
/// Ask by GET, with the fields in the query.
pub const RESUP_LOCATE_GET: i32 = 1;

static CLIENTS: Registry<Client> = Registry::new("client", CLIENT);

/// The client of a handle, for a body that makes something of it.
pub(super) fn client_of(handle: *const resup_client) -> Result<Client, Fault> {
    Ok((*CLIENTS.get(handle as usize)?).clone())
}

/// A setter's body: its faults' messages are kept for the client.
fn set(handle: *mut resup_client, body: impl FnOnce(&Client) -> Result<(), Fault>) -> resup_status {
    perform(handle as usize, || body(&*CLIENTS.get(handle as usize)?))
}

/// Makes a client for a server.
///
/// @param endpoint  the server's upload address, http or https; copied
/// @param out       where the client goes on success; to be freed with resup_client_free
/// @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8; after a failure,
///         resup_client_error_message(NULL) tells more.
///
/// Nothing is sent yet. Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_new(
    endpoint: *const c_char,
    out: *mut *mut resup_client,
) -> resup_status {
    enter(0, || {
        if out.is_null() {
            return Err(Fault::new(RESUP_E_NULL, "the place for the client is NULL"));
        }
        // SAFETY: the header demands a C string or NULL.
        let client = Client::new(unsafe { text("endpoint", endpoint) }?)?;
        // SAFETY: not NULL, and the header demands a writable place.
        unsafe { *out = CLIENTS.insert(client) as *mut resup_client };
        Ok(RESUP_OK)
    })
}

/// Frees a client. Uploads that were made with it keep what they need of it and go on.
///
/// @param client  a client, or NULL, which does nothing
/// @return #RESUP_OK; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND, which change
///         nothing
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_free(client: *mut resup_client) -> resup_status {
    enter(0, || {
        if !client.is_null() {
            CLIENTS.remove(client as usize)?;
        }
        Ok(RESUP_OK)
    })
}

/// Sets the user name that the server is told with each file. Default: none.
///
/// @param user  one line of UTF-8; copied
/// @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
///
/// Counts from the next run of each upload on; so do all settings of a client.
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_user(
    client: *mut resup_client,
    user: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands a C string or NULL.
        Ok(client.set_user(unsafe { text("user", user) }?)?)
    })
}

/// Sets the User-Agent header. Default: "resup/" and the version.
///
/// @param user_agent  one line of ASCII; copied
/// @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_user_agent(
    client: *mut resup_client,
    user_agent: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands a C string or NULL.
        Ok(client.set_user_agent(unsafe { text("user agent", user_agent) }?)?)
    })
}

/// Sets how the server is asked for its offset.
///
/// @param method  #RESUP_LOCATE_POST or #RESUP_LOCATE_GET
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_locate_method(
    client: *mut resup_client,
    method: i32,
) -> resup_status {
    set(client, |client| {
        client.set_locate_method(match method {
            RESUP_LOCATE_POST => LocateMethod::Post,
            RESUP_LOCATE_GET => LocateMethod::Get,
            other => {
                return Err(Fault::new(
                    RESUP_E_ARGUMENT,
                    format!("the locate method {other} is neither POST (0) nor GET (1)"),
                ))
            }
        });
        Ok(())
    })
}

/// Sets the most time that a name lookup, and then connecting with the TLS handshake, may
/// take, each.
///
/// @param milliseconds  more than 0. Default: 30000.
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_connect_timeout(
    client: *mut resup_client,
    milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        Ok(client.set_connect_timeout(duration(milliseconds))?)
    })
}

/// Sets the most time from the end of a request to its answer. It must allow for what the
/// network still holds of the request (some MB), and for the server's storing it.
///
/// @param milliseconds  more than 0. Default: 120000.
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_response_timeout(
    client: *mut resup_client,
    milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        Ok(client.set_response_timeout(duration(milliseconds))?)
    })
}

/// Sets the most time for which the network may take nothing while there is something to send.
/// A transfer that moves, however slowly, is never ended.
///
/// @param milliseconds  more than 0. Default: 60000.
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_stall_timeout(
    client: *mut resup_client,
    milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        Ok(client.set_stall_timeout(duration(milliseconds))?)
    })
}

/// Sets how many attempts in a row may fail, after the first, without the server having got a
/// byte more.
///
/// @param limit  0 never tries again. Default: 8.
/// @return #RESUP_OK or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_retry_limit(
    client: *mut resup_client,
    limit: u32,
) -> resup_status {
    set(client, |client| {
        client.set_retry_limit(limit);
        Ok(())
    })
}

/// Sets the waits between attempts: random, between zero and a bound that starts with the first
/// value and doubles with each attempt up to the second.
///
/// @param first_milliseconds    more than 0. Default: 500.
/// @param longest_milliseconds  not less than the first. Default: 30000.
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_retry_backoff(
    client: *mut resup_client,
    first_milliseconds: u32,
    longest_milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        let first = duration(first_milliseconds);
        Ok(client.set_retry_backoff(first, duration(longest_milliseconds))?)
    })
}

/// The message of the last call that failed on this thread, if it was one for this client: its
/// setters, and the making of uploads.
///
/// @param client  a client; or NULL for calls that failed without a usable handle, such as
///                resup_client_new
/// @return a text, empty if the last failure was none of these, never NULL; borrowed: it is valid until
///         the next failing call on this thread
///
/// Threads: any, each has its own message. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_error_message(client: *const resup_client) -> *const c_char {
    last_message(client as usize)
}

fn duration(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}
