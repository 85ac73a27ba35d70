//! Client: identity
//!
//! Who the user is to the server: login, authorization, signatures. Each setting counts from the
//! next run of each upload on. Authorization, headers and cookies go with every request, but never
//! to another scheme, host or port than the endpoint's. What the library keeps of a secret is
//! overwritten in memory when it is released; not so the buffers through which it was sent.
//!
//! @param client  a client
//! @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for
//!         a text that is NULL; #RESUP_E_UTF8 for one that is not valid; or a handle's error
//!
//! Threads: any. Callbacks: none.

use std::ffi::c_char;

use super::internal::boundary::Fault;
use super::internal::clients::set;
use super::internal::text::text;
use super::status::{RESUP_E_ARGUMENT, RESUP_E_NULL};
use super::types::{resup_client, resup_status};
use crate::api::client::Client;
use crate::error::Error;
use crate::http::credentials::SigningAlgorithm;

/// Runs a setter of two texts, each with its name in messages.
///
/// # Safety
/// Both pointers are NULL or point to NUL-terminated strings.
unsafe fn set_pair(
    client: *mut resup_client,
    (first_name, first): (&str, *const c_char),
    (second_name, second): (&str, *const c_char),
    setter: fn(&Client, &str, &str) -> Result<(), Error>,
) -> resup_status {
    set(client, |client| {
        // SAFETY: as the caller promises.
        let first = unsafe { text(first_name, first) }?;
        // SAFETY: as the caller promises.
        let second = unsafe { text(second_name, second) }?;
        Ok(setter(client, first, second)?)
    })
}

/// Sets the user name that the server is told with each file. Default: none.
///
/// @param user  one line of UTF-8
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

/// Sets the form by which the client logs in: before the first request, and again when the server
/// turns a later one away, by a POST of the fields of resup_client_set_login_field. Cookies are
/// kept. Any answer below 400 counts as a login until the next request shows otherwise.
///
/// @param url  of the endpoint's scheme, host and port
/// @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_login_form(
    client: *mut resup_client,
    url: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_login_form(unsafe { text("login URL", url) }?)?)
    })
}

/// Sets a field of the login form that was set. Setting a name again replaces its value.
///
/// @param name   not empty
/// @param value  any text
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_login_field(
    client: *mut resup_client,
    name: *const c_char,
    value: *const c_char,
) -> resup_status {
    // SAFETY: the header demands C strings or NULL.
    unsafe {
        set_pair(
            client,
            ("name", name),
            ("value", value),
            Client::set_login_field,
        )
    }
}

/// Sets Basic authorization (RFC 7617), in place of another one.
///
/// @param user      not empty, without a colon
/// @param password  may be empty
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_basic_auth(
    client: *mut resup_client,
    user: *const c_char,
    password: *const c_char,
) -> resup_status {
    // SAFETY: the header demands C strings or NULL.
    unsafe {
        set_pair(
            client,
            ("user", user),
            ("password", password),
            Client::set_basic_auth,
        )
    }
}

/// Sets a bearer token (RFC 6750), in place of another authorization.
///
/// @param token  printable ASCII
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_bearer_token(
    client: *mut resup_client,
    token: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_bearer_token(unsafe { text("bearer token", token) }?)?)
    })
}

/// Sets a header. Setting a name again replaces its value.
///
/// @param name   not one that the library sets itself, such as Content-Type
/// @param value  one line
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_header(
    client: *mut resup_client,
    name: *const c_char,
    value: *const c_char,
) -> resup_status {
    // SAFETY: the header demands C strings or NULL.
    unsafe { set_pair(client, ("name", name), ("value", value), Client::set_header) }
}

/// Sets a cookie, beside those that the server sets. Setting a name again replaces its value.
///
/// @param name   a token (RFC 6265, 4.1.1)
/// @param value  printable ASCII without blanks, quotes, commas, semicolons and backslashes
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_cookie(
    client: *mut resup_client,
    name: *const c_char,
    value: *const c_char,
) -> resup_status {
    // SAFETY: the header demands C strings or NULL.
    unsafe { set_pair(client, ("name", name), ("value", value), Client::set_cookie) }
}

/// Signs every form with a secret (docs/PROTOCOL.md, "Signing").
///
/// @param secret  not NULL; copied
/// @param length  its bytes, more than 0
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_signing_secret(
    client: *mut resup_client,
    secret: *const u8,
    length: usize,
) -> resup_status {
    set(client, |client| {
        if secret.is_null() {
            return Err(Fault::new(RESUP_E_NULL, "the signing secret is NULL"));
        }
        if length > isize::MAX as usize {
            let why = format!("the signing secret cannot have {length} bytes");
            return Err(Fault::new(RESUP_E_ARGUMENT, why));
        }
        // SAFETY: not NULL, and the header demands so many readable bytes.
        let secret = unsafe { std::slice::from_raw_parts(secret, length) };
        Ok(client.set_signing_secret(secret)?)
    })
}

/// Sign with HMAC-SHA-256. The default.
pub const RESUP_SIGNING_HMAC_SHA256: i32 = 0;
/// Sign with HMAC-MD5, for old servers that know no better.
pub const RESUP_SIGNING_HMAC_MD5: i32 = 1;

/// Sets how forms are signed, where there is a secret.
///
/// @param algorithm  #RESUP_SIGNING_HMAC_SHA256 or #RESUP_SIGNING_HMAC_MD5
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_signing_algorithm(
    client: *mut resup_client,
    algorithm: i32,
) -> resup_status {
    set(client, |client| {
        client.set_signing_algorithm(match algorithm {
            RESUP_SIGNING_HMAC_SHA256 => SigningAlgorithm::HmacSha256,
            RESUP_SIGNING_HMAC_MD5 => SigningAlgorithm::HmacMd5,
            other => {
                let why = format!(
                    "the signing algorithm {other} is neither HMAC-SHA-256 (0) nor HMAC-MD5 (1)"
                );
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        });
        Ok(())
    })
}
