//! `io.resup.NativeClient`: a client's settings, each by its name.
#![forbid(unsafe_code)]

use std::time::Duration;

use jni::sys::jlong;
use resup::{Client, FilenameStyle, LocateMethod, SigningAlgorithm, Trust};

use crate::failure::Failure;
use crate::registry::Registry;
use crate::{code, path, run};

/// All clients.
pub static CLIENTS: Registry<Client> = Registry::new();

/// A new client's number.
pub fn create(endpoint: &str) -> Result<jlong, Failure> {
    // Its threads may still be there when Java lets go of the class loader.
    resup::ffi::stay_loaded();
    Ok(CLIENTS.add(Client::new(endpoint).map_err(Failure::Setting)?))
}

/// Settings that are texts; some have a second one.
pub fn set_text(client: &Client, setting: &str, a: &str, b: &str) -> Result<(), Failure> {
    match setting {
        "user" => client.set_user(a),
        "userAgent" => client.set_user_agent(a),
        "loginForm" => client.set_login_form(a),
        "loginField" => client.set_login_field(a, b),
        "basicAuth" => client.set_basic_auth(a, b),
        "bearerToken" => client.set_bearer_token(a),
        "header" => client.set_header(a, b),
        "cookie" => client.set_cookie(a, b),
        "proxy" => client.set_proxy(a),
        "noProxy" => client.set_no_proxy(a),
        "caFile" => client.set_ca_file(path::from_text(a)),
        "caPem" => client.set_ca_pem(a),
        "clientCertificate" => {
            client.set_client_certificate(path::from_text(a), path::from_text(b))
        }
        other => unreachable!("no text of a client is called {other}"),
    }
    .map_err(Failure::Setting)
}

/// Settings that are numbers, or times in milliseconds; one has a second one.
pub fn set_number(client: &Client, setting: &str, a: jlong, b: jlong) -> Result<(), Failure> {
    let time = |ms: jlong| Duration::from_millis(ms as u64);
    match setting {
        "connectTimeout" => client.set_connect_timeout(time(a)),
        "responseTimeout" => client.set_response_timeout(time(a)),
        "stallTimeout" => client.set_stall_timeout(time(a)),
        "retryTimeout" => client.set_retry_timeout(time(a)),
        "retryBackoff" => client.set_retry_backoff(time(a), time(b)),
        other => {
            set_choice(client, other, a);
            Ok(())
        }
    }
    .map_err(Failure::Setting)
}

/// Settings that cannot fail.
fn set_choice(client: &Client, setting: &str, choice: jlong) {
    match setting {
        "rateLimit" => client.set_rate_limit(choice as u64),
        "retryLimit" => client.set_retry_limit(choice as u32),
        "tlsVerify" => client.set_tls_verify(choice != 0),
        "locateMethod" => client.set_locate_method(match choice {
            0 => LocateMethod::Post,
            _ => LocateMethod::Get,
        }),
        "signingAlgorithm" => client.set_signing_algorithm(match choice {
            0 => SigningAlgorithm::HmacSha256,
            _ => SigningAlgorithm::HmacMd5,
        }),
        "trust" => client.set_trust(match choice {
            0 => Trust::System,
            _ => Trust::Bundled,
        }),
        "filenameStyle" => client.set_filename_style(match choice {
            0 => FilenameStyle::Whatwg,
            _ => FilenameStyle::Rfc8187,
        }),
        "log" => client.on_log(code::level(choice), run::log),
        other => unreachable!("no number of a client is called {other}"),
    }
}
