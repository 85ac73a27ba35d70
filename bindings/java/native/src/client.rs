//! The native methods of `io.resup.NativeClient`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jni::sys::jlong;
use jni::Env;
use resup::{
    Client, FilenameStyle, LocateMethod, LogLevel, ProtocolName, SigningAlgorithm, Trust, Upload,
};
use zeroize::Zeroizing;

use crate::convert::FromJava;
use crate::entry::{Entry, UPLOADS};
use crate::failure::Failure;
use crate::native::natives;
use crate::registry::Registry;
use crate::run;

/// All clients.
pub static CLIENTS: Registry<Client> = Registry::new();

impl FromJava for Arc<Client> {
    type Java<'local> = jlong;

    fn from_java<'local>(_: &mut Env<'local>, number: jlong) -> Result<Self, Failure> {
        CLIENTS.get(number)
    }
}

natives! {
    /// Creates a client and returns its number.
    Java_io_resup_NativeClient_create(endpoint: String) -> jlong {
        // Threads of the library may outlive the class loader.
        resup::ffi::stay_loaded();
        CLIENTS.add(Client::new(&endpoint)?)
    }

    /// Releases a client; its uploads keep what they need of it.
    Java_io_resup_NativeClient_free(client: jlong) {
        drop(CLIENTS.remove(client));
    }

    Java_io_resup_NativeClient_setUser(client: Arc<Client>, user: String) {
        client.set_user(&user)?;
    }

    Java_io_resup_NativeClient_setUserAgent(client: Arc<Client>, agent: String) {
        client.set_user_agent(&agent)?;
    }

    Java_io_resup_NativeClient_setProtocol(client: Arc<Client>, protocol: ProtocolName) {
        client.set_protocol(protocol);
    }

    Java_io_resup_NativeClient_setDialect(client: Arc<Client>, dialect: String) {
        client.set_dialect(&dialect)?;
    }

    Java_io_resup_NativeClient_setLocateMethod(client: Arc<Client>, method: LocateMethod) {
        client.set_locate_method(method);
    }

    Java_io_resup_NativeClient_setCreationWithUpload(client: Arc<Client>, allowed: bool) {
        client.set_creation_with_upload(allowed);
    }

    Java_io_resup_NativeClient_setConnectTimeout(client: Arc<Client>, time: Duration) {
        client.set_connect_timeout(time)?;
    }

    Java_io_resup_NativeClient_setResponseTimeout(client: Arc<Client>, time: Duration) {
        client.set_response_timeout(time)?;
    }

    Java_io_resup_NativeClient_setStallTimeout(client: Arc<Client>, time: Duration) {
        client.set_stall_timeout(time)?;
    }

    Java_io_resup_NativeClient_setRetryLimit(client: Arc<Client>, limit: u32) {
        client.set_retry_limit(limit);
    }

    Java_io_resup_NativeClient_setRetryTimeout(client: Arc<Client>, time: Duration) {
        client.set_retry_timeout(time)?;
    }

    Java_io_resup_NativeClient_setRetryBackoff(client: Arc<Client>, first: Duration, longest: Duration) {
        client.set_retry_backoff(first, longest)?;
    }

    Java_io_resup_NativeClient_setRateLimit(client: Arc<Client>, limit: u64) {
        client.set_rate_limit(limit);
    }

    Java_io_resup_NativeClient_setLoginForm(client: Arc<Client>, url: String) {
        client.set_login_form(&url)?;
    }

    Java_io_resup_NativeClient_setLoginField(client: Arc<Client>, name: String, value: Zeroizing<String>) {
        client.set_login_field(&name, &value)?;
    }

    Java_io_resup_NativeClient_setBasicAuth(client: Arc<Client>, user: String, password: Zeroizing<String>) {
        client.set_basic_auth(&user, &password)?;
    }

    Java_io_resup_NativeClient_setBearerToken(client: Arc<Client>, token: Zeroizing<String>) {
        client.set_bearer_token(&token)?;
    }

    Java_io_resup_NativeClient_setHeader(client: Arc<Client>, name: String, value: Zeroizing<String>) {
        client.set_header(&name, &value)?;
    }

    Java_io_resup_NativeClient_setCookie(client: Arc<Client>, name: String, value: Zeroizing<String>) {
        client.set_cookie(&name, &value)?;
    }

    Java_io_resup_NativeClient_setSigningSecret(client: Arc<Client>, secret: Zeroizing<Vec<u8>>) {
        client.set_signing_secret(&secret)?;
    }

    Java_io_resup_NativeClient_setSigningAlgorithm(client: Arc<Client>, algorithm: SigningAlgorithm) {
        client.set_signing_algorithm(algorithm);
    }

    Java_io_resup_NativeClient_setProxy(client: Arc<Client>, proxy: Zeroizing<String>) {
        client.set_proxy(&proxy)?;
    }

    Java_io_resup_NativeClient_setNoProxy(client: Arc<Client>, list: String) {
        client.set_no_proxy(&list)?;
    }

    Java_io_resup_NativeClient_setTrust(client: Arc<Client>, trust: Trust) {
        client.set_trust(trust);
    }

    Java_io_resup_NativeClient_setCaFile(client: Arc<Client>, file: PathBuf) {
        client.set_ca_file(file)?;
    }

    Java_io_resup_NativeClient_setCaPem(client: Arc<Client>, pem: String) {
        client.set_ca_pem(&pem)?;
    }

    Java_io_resup_NativeClient_setClientCertificate(client: Arc<Client>, certificate: PathBuf, key: PathBuf) {
        client.set_client_certificate(certificate, key)?;
    }

    Java_io_resup_NativeClient_setTlsVerify(client: Arc<Client>, verify: bool) {
        client.set_tls_verify(verify);
    }

    Java_io_resup_NativeClient_setFilenameStyle(client: Arc<Client>, style: FilenameStyle) {
        client.set_filename_style(style);
    }

    Java_io_resup_NativeClient_setLogLevel(client: Arc<Client>, level: LogLevel) {
        client.on_log(level, run::log);
    }

    /// Creates an upload of a file and returns its number.
    Java_io_resup_NativeClient_uploadFile(client: Arc<Client>, file: PathBuf) -> jlong {
        UPLOADS.add(Entry::new(Upload::from_file(&client, file)?))
    }

    /// Creates an upload of bytes and returns its number.
    Java_io_resup_NativeClient_uploadBytes(client: Arc<Client>, bytes: Vec<u8>, name: String) -> jlong {
        UPLOADS.add(Entry::new(Upload::from_memory(&client, bytes, &name)?))
    }

    /// Creates an upload of what `io.resup.Run` reads and returns its number.
    Java_io_resup_NativeClient_uploadStream(client: Arc<Client>, name: String) -> jlong {
        UPLOADS.add(Entry::new(Upload::from_stream(&client, run::Stream, &name)?))
    }

    /// Creates an upload of what `io.resup.Run` reads once and returns its number.
    Java_io_resup_NativeClient_uploadReader(client: Arc<Client>, name: String) -> jlong {
        UPLOADS.add(Entry::new(Upload::from_reader(&client, run::Stream, &name)?))
    }
}
