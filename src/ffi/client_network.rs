//! Client: network
//!
//! How the server is reached, how long the client waits, and how often it tries again. Each setting
//! counts from the next run of each upload on, but the rate limit at once.
//!
//! @param client        a client
//! @param milliseconds  the longest time; more than 0
//! @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for
//!         a text that is NULL; #RESUP_E_UTF8 for one that is not valid; or a handle's error
//!
//! Threads: any. Callbacks: none.

use std::ffi::c_char;
use std::time::Duration;

use super::internal::clients::set;
use super::internal::text::text;
use super::types::{resup_client, resup_status};

/// Sets the proxy that leads to the server. No system's proxy is used for this machine itself.
///
/// @param proxy  "none"; "system", the default, for what the environment says (http_proxy,
///               https_proxy, all_proxy, no_proxy), then, on Windows, the user's Internet Settings
///               (no PAC scripts); or "scheme://user:password@host:port", of which all but the host
///               may be left out, user and password percent-encoded. The scheme is http (port 80:
///               http servers by absolute URLs, https ones by CONNECT), socks4 or socks5 (1080: the
///               server's name is looked up on this side), socks4a or socks5h (the proxy looks it
///               up).
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_proxy(
    client: *mut resup_client,
    proxy: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_proxy(unsafe { text("proxy", proxy) }?)?)
    })
}

/// Sets the hosts that are reached without a proxy, in place of the environment's no_proxy.
///
/// @param list  domains (with all below them), addresses, CIDR blocks, each perhaps with a port, or
///              "*", between commas; empty for none
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_no_proxy(
    client: *mut resup_client,
    list: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_no_proxy(unsafe { text("no-proxy list", list) }?)?)
    })
}

/// Sets the most time for a name lookup, and again for connecting with TLS. Default: 30000.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_connect_timeout(
    client: *mut resup_client,
    milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        Ok(client.set_connect_timeout(duration(milliseconds))?)
    })
}

/// Sets the most time from the end of a request to its answer. It must allow for what the network
/// still holds of the request (some MB), and for the server's storing it. Default: 120000.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_response_timeout(
    client: *mut resup_client,
    milliseconds: u32,
) -> resup_status {
    set(client, |client| {
        Ok(client.set_response_timeout(duration(milliseconds))?)
    })
}

/// Sets the most time for which the network may take nothing while there is something to send. A
/// transfer that moves, however slowly, is never ended. Default: 60000.
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

/// Sets how many attempts in a row may fail, after the first, without the server having got more.
///
/// @param limit  0 never tries again. Default: 8. These take 45 s on average, with the default waits.
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

/// Sets the most time that attempts may go on, and fail, without the server having got more.
/// It begins anew after a pause.
///
/// @param milliseconds  0, the default, for no limit but that of their number
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

fn duration(milliseconds: u32) -> Duration {
    Duration::from_millis(milliseconds.into())
}
