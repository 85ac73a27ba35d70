//! Client: TLS
//!
//! Which server is trusted, and what this side shows to it. Each setting counts from the next run
//! of each upload on; files are read at once.
//!
//! @param client       a client
//! @param path         a file, PEM or DER
//! @param certificate  path of a file, PEM or DER, with the chain, its own certificate first
//! @param key          path of such a file with the key, not encrypted; may be the same file
//! @return #RESUP_OK; #RESUP_E_ARGUMENT for a value or file that cannot be used: then nothing has
//!         changed; #RESUP_E_NULL for a text that is NULL; #RESUP_E_UTF8 for one that is not valid;
//!         or a handle's error
//!
//! Threads: any. Callbacks: none.

use std::ffi::c_char;

use super::internal::boundary::Fault;
use super::internal::clients::set;
use super::internal::text::{native_path, text, utf16_path};
use super::status::RESUP_E_ARGUMENT;
use super::types::{resup_client, resup_status};
use crate::http::certificates::Trust;

/// Trust the operating system's root certificates. The default.
pub const RESUP_TRUST_SYSTEM: i32 = 0;
/// Trust Mozilla's root certificates, as they were when the library was built.
pub const RESUP_TRUST_BUNDLED: i32 = 1;

/// Sets which root certificates are trusted while no CA was given.
///
/// @param trust  #RESUP_TRUST_SYSTEM or #RESUP_TRUST_BUNDLED
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

/// Trusts the CA certificates in a file, and no others but those of further calls. A server may
/// show one of them as its own. When the file cannot be read, has no certificate, or has one that
/// cannot be used as a root, none of them is trusted.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_ca_file(
    client: *mut resup_client,
    path: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        Ok(client.set_ca_file(unsafe { native_path("path", path) }?)?)
    })
}

/// As resup_client_set_ca_file, with a path in UTF-16.
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

/// As resup_client_set_ca_file, with the certificates themselves.
///
/// @param pem  one certificate or more
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

/// Sets the certificate that this side shows when the server asks for one. Fails also when the key
/// does not fit. The library's copies of the file are overwritten in memory; not so what its TLS
/// makes of the key.
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_client_certificate(
    client: *mut resup_client,
    certificate: *const c_char,
    key: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands C strings or NULL.
        let certificate = unsafe { native_path("certificate", certificate) }?;
        // SAFETY: as above.
        let key = unsafe { native_path("key", key) }?;
        Ok(client.set_client_certificate(certificate, key)?)
    })
}

/// As resup_client_set_client_certificate, with paths in UTF-16.
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
