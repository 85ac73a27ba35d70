//! Client: making one
//!
//! A client has the address of a server, and the settings of all uploads to it.
//!
//! @param client  a client
//!
//! Threads: any. Callbacks: none.

use std::ffi::c_char;

use super::internal::boundary::{enter, last_message, Fault};
use super::internal::clients::CLIENTS;
use super::internal::pin::stay_loaded;
use super::internal::text::text;
use super::status::{RESUP_E_NULL, RESUP_OK};
use super::types::{resup_client, resup_status};
use crate::api::client::Client;

/// Makes a client for a server. Nothing is sent yet.
///
/// @param endpoint  the server's upload address, http or https; copied
/// @param out       where the client goes on success; resup_client_free frees it
/// @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8; after a failure,
///         resup_client_error_message(NULL) tells more
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
/// @return #RESUP_OK; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND, which change nothing
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

/// Returns the message of the last call that failed on this thread, if it was one for this client:
/// its setters, and the making of uploads.
///
/// @param client  a client; or NULL for calls that failed without one, such as resup_client_new
/// @return a text, never NULL, empty if it was none of these; valid until this thread's next failure
///
/// Threads: any, each has its own message. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_error_message(client: *const resup_client) -> *const c_char {
    last_message(client as usize)
}
