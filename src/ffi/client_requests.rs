//! Client: requests
//!
//! How requests and forms are written. Each setting counts from the next run of each upload on.
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
use super::status::RESUP_E_ARGUMENT;
use super::types::{resup_client, resup_status};
use crate::options::{FilenameStyle, LocateMethod, ProtocolName};

/// Sets the User-Agent header. Default: "resup/" and the version.
///
/// @param user_agent  one line of ASCII
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

/// The one that the server speaks, by its first response. The default.
pub const RESUP_PROTOCOL_AUTO: i32 = 0;
/// Form resume, the protocol of docs/PROTOCOL.md.
pub const RESUP_PROTOCOL_FORM: i32 = 1;
/// tus 1.0.
pub const RESUP_PROTOCOL_TUS: i32 = 2;
/// The IETF's resumable uploads: drafts of them, and the RFC to come.
pub const RESUP_PROTOCOL_IETF: i32 = 3;
/// WebDAV: the URL is that of a collection, with a slash at its end, or of the file itself.
pub const RESUP_PROTOCOL_DAV: i32 = 4;
/// Sessions (308), as Google Cloud Storage, uploadx and OneDrive have them.
pub const RESUP_PROTOCOL_SESSION: i32 = 5;

/// Sets the protocol that the server speaks. In another one than form resume and WebDAV only the state
/// file (resup_upload_set_state_file) tells another run where its upload is. In all but form resume a
/// run with a signing secret or a digest by its name ends with #RESUP_E_ARGUMENT.
///
/// @param protocol  one of the RESUP_PROTOCOL_ constants
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_protocol(
    client: *mut resup_client,
    protocol: i32,
) -> resup_status {
    set(client, |client| {
        client.set_protocol(match protocol {
            RESUP_PROTOCOL_AUTO => ProtocolName::Auto,
            RESUP_PROTOCOL_FORM => ProtocolName::Form,
            RESUP_PROTOCOL_TUS => ProtocolName::Tus,
            RESUP_PROTOCOL_IETF => ProtocolName::Ietf,
            RESUP_PROTOCOL_DAV => ProtocolName::Dav,
            RESUP_PROTOCOL_SESSION => ProtocolName::Session,
            other => {
                let why = format!(
                    "the protocol {other} is none of AUTO (0), FORM (1), TUS (2), IETF (3), DAV (4) and SESSION (5)"
                );
                return Err(Fault::new(RESUP_E_ARGUMENT, why));
            }
        });
        Ok(())
    })
}

/// Sets a dialect of forms, in place of a protocol; of both calls the last one counts.
///
/// @param dialect  the name of a preset, such as "plain", or a JSON object: docs/DIALECTS.md
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_dialect(
    client: *mut resup_client,
    dialect: *const c_char,
) -> resup_status {
    set(client, |client| {
        // SAFETY: the header demands a C string or NULL.
        Ok(client.set_dialect(unsafe { text("dialect", dialect) }?)?)
    })
}

/// Ask by POST, which no cache answers. The default.
pub const RESUP_LOCATE_POST: i32 = 0;
/// Ask by GET, with the fields in the query.
pub const RESUP_LOCATE_GET: i32 = 1;

/// Sets how the server is asked for its offset.
///
/// @param method  #RESUP_LOCATE_POST or #RESUP_LOCATE_GET
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

/// Sets whether the request that creates an upload by tus may carry a whole file of up to 256 KiB. If its
/// response is lost, that upload stays at the server, and the file goes there once more.
///
/// @param allowed  0 for no, the default; else yes, where the server has creation-with-upload
#[no_mangle]
pub unsafe extern "C" fn resup_client_set_creation_with_upload(
    client: *mut resup_client,
    allowed: i32,
) -> resup_status {
    set(client, |client| {
        client.set_creation_with_upload(allowed != 0);
        Ok(())
    })
}

/// Write file names as browsers do: UTF-8, quote, CR and LF as %22, %0D and %0A. The default.
pub const RESUP_FILENAME_WHATWG: i32 = 0;
/// Write them again as filename* (RFC 8187), for servers that take the first for Latin-1.
pub const RESUP_FILENAME_RFC8187: i32 = 1;

/// Sets how file names are written into forms.
///
/// @param style  #RESUP_FILENAME_WHATWG or #RESUP_FILENAME_RFC8187
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
