//! `resup_client`: a server, and what all uploads to it share.

use std::ffi::{c_char, c_void};
use std::time::Duration;

use super::boundary::{c_text, enter, last_message, perform, Fault};
use super::callback::{flow, resup_destroy_callback, resup_log_callback, UserData};
use super::float::hosts;
use super::handle::{Registry, CLIENT};
use super::pin::stay_loaded;
use super::status::{resup_status, RESUP_E_ARGUMENT, RESUP_E_NULL, RESUP_OK};
use super::text::text;
use crate::api::client::Client;
use crate::control::log::LogLevel;
use crate::options::LocateMethod;

/// A server, and what all uploads to it share.
pub struct resup_client(());

/// Ask by POST, which no cache answers. The default.
pub const RESUP_LOCATE_POST: i32 = 0;
/// Ask by GET, with the fields in the query.
pub const RESUP_LOCATE_GET: i32 = 1;

/// An upload has failed.
pub const RESUP_LOG_ERROR: i32 = 1;
/// Something unusual that the upload gets over: a break, a prefix that differs.
pub const RESUP_LOG_WARN: i32 = 2;
/// The course of an upload.
pub const RESUP_LOG_INFO: i32 = 3;
/// Every step.
pub const RESUP_LOG_DEBUG: i32 = 4;

static CLIENTS: Registry<Client> = Registry::new("a client", CLIENT);

/// The client of a handle, for a body that makes something of it.
pub(super) fn client_of(handle: *const resup_client) -> Result<Client, Fault> {
    Ok((*CLIENTS.get(handle as usize)?).clone())
}

/// A setter's body: its faults' messages are kept for the client.
pub(super) fn set(
    handle: *mut resup_client,
    body: impl FnOnce(&Client) -> Result<(), Fault>,
) -> resup_status {
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
        stay_loaded();
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
/// Threads: any. Callbacks: the destroy function of the log callback, when no upload of it is left.
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

/// Sets the most file bytes per second that all uploads of this client send together. Counts at
/// once, for running uploads too.
///
/// @param bytes_per_second  0, the default, for no limit
/// @return #RESUP_OK or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_rate_limit(
    client: *mut resup_client,
    bytes_per_second: u64,
) -> resup_status {
    set(client, |client| {
        client.set_rate_limit(bytes_per_second);
        Ok(())
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

/// Sets the most time that attempts may go on, and fail, without the server having got a byte
/// more. It begins anew after a pause.
///
/// @param milliseconds  0, the default, for no limit but that of their number
/// @return #RESUP_OK or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_retry_timeout(
    client: *mut resup_client,
    milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        Ok(client.set_retry_timeout(duration(milliseconds))?)
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

/// Registers a log callback, in place of an earlier one. It counts from the next run of each
/// upload on.
///
/// @param level      the least important level that is wanted, one of the RESUP_LOG_ constants
/// @param callback   called from within resup_upload_run and resup_upload_wait, on the threads
///                   that called these, so perhaps on several at once; NULL for none
/// @param user_data  handed to the callback; may be NULL
/// @param destroy    called once when the library lets go of user_data: when the callback has been
///                   replaced and no upload has it from its last run, or when the client and
///                   all its uploads have been freed; on the thread that does the last of
///                   these. May be NULL. When registering fails, it is called at once.
/// @return #RESUP_OK, #RESUP_E_ARGUMENT for another level, or a handle's error
///
/// Secrets and file contents are never logged.
/// Threads: any. Callbacks: the destroy function of the one replaced.
#[no_mangle]
pub unsafe extern "C" fn resup_client_on_log(
    client: *mut resup_client,
    level: i32,
    callback: resup_log_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
) -> resup_status {
    let data = UserData::new(user_data, destroy);
    set(client, |client| {
        let level = match level {
            RESUP_LOG_ERROR => LogLevel::Error,
            RESUP_LOG_WARN => LogLevel::Warn,
            RESUP_LOG_INFO => LogLevel::Info,
            RESUP_LOG_DEBUG => LogLevel::Debug,
            other => {
                let why = format!("the log level {other} is none of 1 (error) to 4 (debug)");
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        };
        let Some(callback) = callback else {
            client.set_logger(None);
            return Ok(());
        };
        client.on_log(level, move |level, line| {
            let data = &data;
            let line = c_text(line);
            // SAFETY: the host registered this function with this data for these arguments.
            flow(hosts(|| unsafe {
                callback(level_code(level), line.as_ptr(), data.pointer())
            }))
        });
        Ok(())
    })
}

fn level_code(level: LogLevel) -> i32 {
    match level {
        LogLevel::Error => RESUP_LOG_ERROR,
        LogLevel::Warn => RESUP_LOG_WARN,
        LogLevel::Info => RESUP_LOG_INFO,
        LogLevel::Debug => RESUP_LOG_DEBUG,
    }
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
