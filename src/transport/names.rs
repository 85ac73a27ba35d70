//! The system's resolver, asked once for each link.
//!
//! ureq looks the name up for every request, in a thread of its own, also when a connection is
//! there already. A link whose addresses turn out to be of no use fails, and the next one asks anew.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use ureq::config::Config;
use ureq::http::uri::{Authority, Uri};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::Error;

use super::Flags;

/// The names of one link.
#[derive(Debug)]
pub(super) struct Names {
    inner: DefaultResolver,
    /// What is looked up in place of every name.
    stand_in: Option<Uri>,
    flags: Arc<Flags>,
    known: Mutex<Option<(Authority, ResolvedSocketAddrs)>>,
}

impl Names {
    pub(super) fn new(flags: Arc<Flags>, stand_in: Option<Uri>) -> Self {
        Names {
            inner: DefaultResolver::default(),
            stand_in,
            flags,
            known: Mutex::default(),
        }
    }
}

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let uri = self.stand_in.as_ref().unwrap_or(uri);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((authority, found)) if uri.authority() == Some(authority) => {
                return Ok(found.clone())
            }
            _ => {}
        }
        let result = self.inner.resolve(uri, config, timeout);
        // ureq's error does not tell that it was the lookup that failed.
        self.flags
            .unresolved
            .store(result.is_err(), Ordering::Relaxed);
        let found = result?;
        *known = uri.authority().map(|host| (host.clone(), found.clone()));
        Ok(found)
    }
}
