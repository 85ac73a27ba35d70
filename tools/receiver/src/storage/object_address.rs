//! The address of an object store, as --store has it: `s3://BUCKET/PREFIX?endpoint=URL`, with `az` or `gs` likewise.
//!
//! Credentials are in the environment, under the names that the store's own tools have for them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{bail, Context};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

/// What every object is to a browser that gets it from the store itself.
const MEDIA_TYPE: &str = "application/octet-stream";
/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a store may be silent.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a request to the store is repeated. A restart of it is mostly shorter.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client of a store, by what it can do.
pub struct Client {
    /// The address, without what a log need not have.
    pub name: String,
    /// What all keys begin with; empty, or with a slash at its end.
    pub prefix: String,
    /// Whole objects.
    pub objects: Arc<dyn ObjectStore>,
    /// Objects in parts.
    pub parts: Arc<dyn MultipartStore>,
    /// Addresses for those who have no credentials.
    pub signer: Arc<dyn Signer>,
    /// What lists unfinished uploads, where the store has them.
    pub s3: Option<AmazonS3>,
    /// Whether a part is known by its number, so that it replaces an earlier one.
    pub numbers_parts: bool,
    /// What sends requests to addresses that are signed.
    pub http: reqwest::Client,
}

/// The settings in the query of an address.
#[derive(Default)]
struct Settings {
    endpoint: Option<String>,
    region: Option<String>,
    account: Option<String>,
    has_bucket_in_host: Option<bool>,
}

impl Client {
    /// Reads an address. The error has nothing of the query, where somebody may have put a password.
    pub fn open(address: &str) -> anyhow::Result<Self> {
        // Fails where it is there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = Url::parse(address).context("it is not a URL, such as s3://BUCKET/PREFIX")?;
        let bucket = url.host_str().unwrap_or("").to_owned();
        if bucket.is_empty() {
            bail!("it names no bucket: it has to be as s3://BUCKET/PREFIX");
        }
        if !url.username().is_empty() || url.password().is_some() {
            bail!("it has credentials: put these into the environment, where other users of the machine do not see them");
        }
        let kind = url.scheme();
        let settings = settings(&url)?;
        let path = percent_encoding::percent_decode_str(url.path())
            .decode_utf8()
            .context("its path is not UTF-8")?;
        let path = path.trim_matches('/');
        let prefix = match path {
            "" => String::new(),
            path => Path::parse(path)
                .map(|path| format!("{path}/"))
                .context("its path has an empty name, '.' or '..'")?,
        };
        let endpoint = settings.endpoint.as_deref().unwrap_or("");
        let query = match endpoint {
            "" => String::new(),
            endpoint => format!("?endpoint={endpoint}"),
        };
        let name = format!("{kind}://{bucket}/{path}{query}");
        let plain = endpoint.starts_with("http://");
        // Some servers have no HTTP/2 without TLS, and one connection for all uploads would be a bottleneck.
        let options = ClientOptions::new()
            .with_http1_only()
            .with_default_content_type(MEDIA_TYPE)
            .with_allow_http(plain)
            .with_timeout_disabled()
            .with_connect_timeout(CONNECT)
            .with_read_timeout(SILENCE);
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            },
            max_retries: 10,
            retry_timeout: PATIENCE,
        };
        match kind {
            "s3" => {
                let mut builder = AmazonS3Builder::from_env()
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_bucket_name(bucket)
                    .with_disable_bulk_delete(true);
                if !endpoint.is_empty() {
                    builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
                }
                if let Some(region) = settings.region {
                    builder = builder.with_region(region);
                }
                if let Some(is_in_host) = settings.has_bucket_in_host {
                    builder = builder.with_virtual_hosted_style_request(is_in_host);
                }
                let store = builder.build()?;
                Self::new(name, prefix, store.clone(), Some(store), true)
            }
            "az" => {
                let mut builder = MicrosoftAzureBuilder::from_env()
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_container_name(bucket);
                if !endpoint.is_empty() {
                    builder = builder.with_endpoint(endpoint.to_owned());
                }
                if let Some(account) = settings.account {
                    builder = builder.with_account(account);
                }
                Self::new(name, prefix, builder.build()?, None, false)
            }
            "gs" => {
                let mut builder = GoogleCloudStorageBuilder::from_env()
                    .with_client_options(options)
                    .with_retry(retry)
                    .with_bucket_name(bucket);
                if !endpoint.is_empty() {
                    builder = builder.with_config(GoogleConfigKey::BaseUrl, endpoint);
                }
                Self::new(name, prefix, builder.build()?, None, true)
            }
            _ => bail!("it begins with none of s3:, az: and gs:"),
        }
    }

    fn new<S>(
        name: String,
        prefix: String,
        store: S,
        s3: Option<AmazonS3>,
        numbers_parts: bool,
    ) -> anyhow::Result<Self>
    where
        S: ObjectStore + MultipartStore + Signer,
    {
        let store = Arc::new(store);
        Ok(Self {
            name,
            prefix,
            objects: store.clone(),
            parts: store.clone(),
            signer: store,
            s3,
            numbers_parts,
            http: reqwest::Client::builder()
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .build()?,
        })
    }
}

fn settings(url: &Url) -> anyhow::Result<Settings> {
    let mut settings = Settings::default();
    for (name, value) in url.query_pairs() {
        let value = value.into_owned();
        match (url.scheme(), &*name) {
            (_, "endpoint") => {
                let endpoint = Url::parse(&value).ok();
                let is_good = endpoint.is_some_and(|it| {
                    matches!(it.scheme(), "http" | "https")
                        && it.has_host()
                        && it.username().is_empty()
                        && it.password().is_none()
                });
                if !is_good {
                    bail!(
                        "its endpoint is not a URL such as http://127.0.0.1:9000, without a login"
                    );
                }
                settings.endpoint = Some(value.trim_end_matches('/').to_owned());
            }
            ("s3", "region") => settings.region = Some(value),
            ("s3", "bucket-in-host") => {
                settings.has_bucket_in_host = Some(match &*value {
                    "yes" => true,
                    "no" => false,
                    _ => bail!("its bucket-in-host is neither yes nor no"),
                });
            }
            ("az", "account") => settings.account = Some(value),
            (kind, name) => bail!(
                "{kind}: takes no '{name}': there are endpoint, for s3: region and bucket-in-host, for az: account; \
                 credentials are in the environment"
            ),
        }
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_told_without_what_may_be_a_password() {
        for (address, told) in [
            ("bucket", "not a URL"),
            ("s3://", "no bucket"),
            ("s3:///a", "no bucket"),
            ("file://bucket/a", "none of s3:"),
            ("s3://joe:secret@bucket", "has credentials"),
            ("s3://bucket/a//b", "empty name"),
            ("s3://bucket/a?secret_access_key=secret", "takes no"),
            ("az://bucket/a?region=secret", "takes no 'region'"),
            ("s3://bucket/a?endpoint=secret", "its endpoint"),
            (
                "s3://bucket?endpoint=http://joe:secret@host",
                "its endpoint",
            ),
            ("s3://bucket?bucket-in-host=secret", "neither yes nor no"),
        ] {
            let error = format!("{:#}", Client::open(address).err().unwrap());
            let is_told = error.contains(told) && !error.contains("secret\"");
            assert!(is_told && !error.ends_with("secret"), "{address}: {error}");
        }
    }

    #[test]
    fn the_prefix_and_the_name_are_those_of_the_address() {
        for (address, prefix, name) in [
            ("s3://b?region=x", "", "s3://b/"),
            ("s3://b/", "", "s3://b/"),
            ("s3://b/a%20b/c/", "a b/c/", "s3://b/a b/c"),
            (
                "s3://b/a?endpoint=http://127.0.0.1:1/&region=x",
                "a/",
                "s3://b/a?endpoint=http://127.0.0.1:1",
            ),
        ] {
            let client = Client::open(address).unwrap();
            assert_eq!((&*client.prefix, &*client.name), (prefix, name));
        }
    }
}
