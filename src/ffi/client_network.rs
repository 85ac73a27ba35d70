//! The settings of the way to the server: proxies and TLS.

use std::ffi::c_char;

use super::boundary::Fault;
use super::client::{resup_client, set};
use super::status::{resup_status, RESUP_E_ARGUMENT};
use super::text::{text, utf16_path};
use crate::http::certificates::Trust;
use crate::options::FilenameStyle;

/// Trust the operating system's root certificates. The default.
pub const RESUP_TRUST_SYSTEM: i32 = 0;
/// Trust Mozilla's root certificates, as they were when the library was built.
pub const RESUP_TRUST_BUNDLED: i32 = 1;

/// Write file names as browsers do: UTF-8, with quote, CR and LF as %22, %0D and %0A. The default.
pub const RESUP_FILENAME_WHATWG: i32 = 0;
/// Write them a second time as filename* (RFC 8187), for servers that take the first for Latin-1.
pub const RESUP_FILENAME_RFC8187: i32 = 1;

/// Sets the proxy that leads to the server.
///
/// @param proxy  "none"; "system", the default, for what the environment says (http_proxy,
///               https_proxy, all_proxy, no_proxy), then, on Windows, the user's Internet
///               Settings (no PAC scripts); or scheme://user:password@host:port, of which
///               all but the host may be left out, user and password percent-encoded. The scheme
///               is http (port 80: http servers by absolute URLs, https ones by CONNECT), socks4 or
///               socks5 (1080: the server's name is looked up on this side), socks4a or socks5h
///               (the proxy looks it up). Copied.
/// @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
///
/// The system's proxy is never used for this machine itself.
///
/// Threads: any. Callbacks: none.
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
///              "*", between commas; empty for none; copied
/// @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
///
/// Threads: any. Callbacks: none.
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

/// Sets which root certificates are trusted while no CA was given.
///
/// @param trust  #RESUP_TRUST_SYSTEM or #RESUP_TRUST_BUNDLED
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_trust(
    client: *mut resup_client,
    trust: i32,
) -> resup_status {
    set(client, |client| {
        client.set_trust(match trust {
            RESUP_TRUST_SYSTEM => Trust::System,
            RESUP_TRUST_BUNDLED => Trust::Bundled,
            other => {
                let why = format!("the trust {other} is neither system (0) nor bundled (1)");
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        });
        Ok(())
    })
}

/// Trusts the CA certificates in a PEM file, and no others but those of further calls. The file is
/// read at once.
///
/// @param path  UTF-8; copied
/// @return #RESUP_OK; #RESUP_E_ARGUMENT when it cannot be read, has no certificate, or has one that
///         cannot be used as a root: then none of them is trusted; #RESUP_E_NULL, #RESUP_E_UTF8 or a
///         handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_ca_file(
    client: *mut resup_client,
    path: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_ca_file(unsafe { text("path", path) }?)?)
    })
}

/// As resup_client_set_ca_file, for a path in UTF-16, as Windows has them.
///
/// @param path  0-terminated UTF-16; copied
/// @return #RESUP_OK; #RESUP_E_ARGUMENT when it cannot be read, has no certificate, or has one that
///         cannot be used as a root: then none of them is trusted; #RESUP_E_NULL, #RESUP_E_UTF8 or a
///         handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_ca_file_utf16(
    client: *mut resup_client,
    path: *const u16,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands 0-terminated UTF-16 or NULL.
        Ok(client.set_ca_file(unsafe { utf16_path("path", path) }?)?)
    })
}

/// As resup_client_set_ca_file, for a PEM text.
///
/// @param pem  one certificate or more; copied
/// @return #RESUP_OK; #RESUP_E_ARGUMENT when it cannot be read, has no certificate, or has one that
///         cannot be used as a root: then none of them is trusted; #RESUP_E_NULL, #RESUP_E_UTF8 or a
///         handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_ca_pem(
    client: *mut resup_client,
    pem: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_ca_pem(unsafe { text("PEM text", pem) }?)?)
    })
}

/// Sets the certificate that this side shows when the server asks for one.
///
/// @param certificate  path of a PEM file with the chain, its own certificate first; copied
/// @param key          path of a PEM file with the key, not encrypted; may be the same file; copied
/// @return #RESUP_OK; #RESUP_E_ARGUMENT when a file cannot be read or used, or the key does not fit;
///         #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
///
/// The files are read at once. What the library keeps of the key is overwritten in memory when it is
/// let go; not so what its TLS makes of it.
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_client_certificate(
    client: *mut resup_client,
    certificate: *const c_char,
    key: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        let certificate = unsafe { text("certificate", certificate) }?;
        // SAFETY: as above.
        let key = unsafe { text("key", key) }?;
        Ok(client.set_client_certificate(certificate, key)?)
    })
}

/// As resup_client_set_client_certificate, for paths in UTF-16, as Windows has them.
///
/// @param certificate  0-terminated UTF-16; copied
/// @param key          0-terminated UTF-16; copied
/// @return #RESUP_OK; #RESUP_E_ARGUMENT when a file cannot be read or used, or the key does not fit;
///         #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
///
/// The files are read at once. What the library keeps of the key is overwritten in memory when it is
/// let go; not so what its TLS makes of it.
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_client_certificate_utf16(
    client: *mut resup_client,
    certificate: *const u16,
    key: *const u16,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands 0-terminated UTF-16 or NULL.
        let certificate = unsafe { utf16_path("certificate", certificate) }?;
        // SAFETY: as above.
        let key = unsafe { utf16_path("key", key) }?;
        Ok(client.set_client_certificate(certificate, key)?)
    })
}

/// Sets whether the server's certificate is verified. Without, whoever is on the way can read and
/// change everything, credentials too; each run logs a warning.
///
/// @param verify  0 for no; else yes, the default
/// @return #RESUP_OK or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_tls_verify(
    client: *mut resup_client,
    verify: i32,
) -> resup_status {
    set(client, |client| {
        client.set_tls_verify(verify != 0);
        Ok(())
    })
}

/// Sets how file names are written into forms.
///
/// @param style  #RESUP_FILENAME_WHATWG or #RESUP_FILENAME_RFC8187
/// @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_filename_style(
    client: *mut resup_client,
    style: i32,
) -> resup_status {
    set(client, |client| {
        client.set_filename_style(match style {
            RESUP_FILENAME_WHATWG => FilenameStyle::Whatwg,
            RESUP_FILENAME_RFC8187 => FilenameStyle::Rfc8187,
            other => {
                let why =
                    format!("the file name style {other} is neither WHATWG (0) nor RFC 8187 (1)");
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        });
        Ok(())
    })
}
