//! The place of a file at a WebDAV server.

use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::protocol::description::check_description;
use crate::protocol::Job;

/// What is percent-encoded in a name: all but the unreserved characters (RFC 3986, 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The place of a file.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub url: Endpoint,
    /// The collections of the job's directory, from the outermost one.
    pub collections: Vec<Endpoint>,
}

impl Place {
    /// Finds the place of a job's file. An endpoint with a slash at its end is a collection, another
    /// one is the file's own URL.
    pub(super) fn of(endpoint: &Endpoint, job: &Job) -> Result<Self, Error> {
        if !job.has_size() {
            return Err(Error::size_needed("WebDAV needs the size first"));
        }
        check_description(job, true, CARRIED)?;
        let is_collection = endpoint.uri().path().ends_with('/');
        let mut names = job.dir.split('/').filter(|name| !name.is_empty());
        // In a URL they would lead out of the collection.
        if let Some(name) = names.clone().find(|name| matches!(*name, "." | "..")) {
            return Err(Error::InvalidArgument {
                what: "directory",
                why: format!(
                    "{:?} has the part \"{name}\", which is no collection's name; write it without",
                    job.dir
                ),
            });
        }
        if !is_collection {
            return match names.next() {
                None => Ok(Place {
                    url: endpoint.clone(),
                    collections: Vec::new(),
                }),
                Some(_) => Err(Error::InvalidArgument {
                    what: "directory",
                    why: "has no place below the URL of a file; write a slash at the end of the URL of a \
                          collection"
                        .to_owned(),
                }),
            };
        }
        let mut path = endpoint.uri().path().to_owned();
        let mut collections = Vec::new();
        for name in names {
            path.extend(utf8_percent_encode(name, ENCODED));
            path.push('/');
            collections.push(at(endpoint, &path)?);
        }
        path.extend(utf8_percent_encode(&job.name, ENCODED));
        Ok(Place {
            url: at(endpoint, &path)?,
            collections,
        })
    }

    /// Gives the URL of another file in the same collection.
    pub(super) fn beside(&self, name: &str) -> Result<Endpoint, Error> {
        let path = self.url.uri().path();
        let directory = &path[..=path.rfind('/').unwrap_or_default()];
        at(&self.url, &format!("{directory}{name}"))
    }

    /// Names the place in messages.
    pub(super) fn shown(&self) -> String {
        self.url.uri().path().to_owned()
    }
}

/// Gives the URL with another path at the same server.
fn at(endpoint: &Endpoint, path: &str) -> Result<Endpoint, Error> {
    let scheme = endpoint.uri().scheme_str().unwrap_or_default();
    let query = endpoint.uri().query();
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    let authority = endpoint.authority();
    Endpoint::parse(&format!("{scheme}://{authority}{path}{query}"))
}

/// What the protocol carries of a description.
const CARRIED: &str =
    "WebDAV, which knows a file's URL and type only; leave it out, or put it into the URL or a header field";
