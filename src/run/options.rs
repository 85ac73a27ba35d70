//! The options of a run: those of its client and those of its upload.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Arc;

use super::ids::KnownIds;
use super::last_upload::LastUpload;
use super::learned_digest::LearnedDigest;
use super::learned_store::LearnedStore;
use super::threads::Threads;
use crate::control::rate::Limiter;
use crate::engine::LearnedLimit;
use crate::error::Error;
use crate::http::certificates::Certificates;
use crate::http::credentials::Credentials;
use crate::http::endpoint::Endpoint;
use crate::http::session::SessionState;
use crate::options::{
    DigestAlgorithm, DigestMode, FilenameStyle, LocateMethod, ProtocolName, RetryPolicy,
    SegmentSize,
};
use crate::protocol::{DialectText, LearnedProtocol, PartsText};
use crate::transport::{ConnectionOptions, ConnectionPool};

/// The options of one client.
#[derive(Debug, Clone)]
pub(crate) struct ClientOptions {
    pub connection: ConnectionOptions,
    pub credentials: Credentials,
    /// The user name that goes to the server.
    pub user: Option<String>,
    pub protocol: ProtocolName,
    /// The dialect of forms that the server speaks. If there is one, it is the protocol.
    pub dialect: Option<Arc<DialectText>>,
    pub locate_method: LocateMethod,
    /// Whether the request that creates an upload may carry a whole small file.
    pub creation_with_upload: bool,
    pub filename_style: FilenameStyle,
    pub retry: RetryPolicy,
}

impl ClientOptions {
    /// Checks that the protocol that is set has what the other settings ask for.
    pub(crate) fn check(&self, upload: &UploadOptions) -> Result<(), Error> {
        if !upload.has_size {
            self.check_stream(upload)?;
        }
        let by_form = matches!(self.protocol, ProtocolName::Auto | ProtocolName::Form);
        let protocol = match (&upload.parts, &self.dialect) {
            (Some(_), _) => "presigned parts (set_parts)".to_owned(),
            (None, Some(_)) => "a dialect (set_dialect)".to_owned(),
            (None, None) => format!("protocol {} (set_protocol)", self.protocol.name()),
        };
        if upload.reads_back {
            self.check_read_back(upload, &protocol)?;
        }
        if by_form && upload.parts.is_none() && self.dialect.is_none() {
            return Ok(());
        }
        // Nothing of the client's login has to do with presigned parts.
        if self.credentials.signing.is_some() && upload.parts.is_none() {
            return Err(Error::InvalidArgument {
                what: "signing secret",
                why: format!(
                    "(set_signing_secret) and {protocol} were both set, and \
                     nothing is signed there; set the protocol to form, or use a client without a secret"
                ),
            });
        }
        match upload.algorithm.offer() {
            [named] => Err(Error::InvalidArgument {
                what: "digest algorithm",
                why: format!(
                    "{} (set_digest_algorithm) and {protocol} were both set, and \
                     no server tells there that it compares it; set the algorithm to automatic, or the \
                     protocol to form",
                    named.label()
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that a stream without a size can be sent.
    fn check_stream(&self, upload: &UploadOptions) -> Result<(), Error> {
        use ProtocolName::{Auto, Ietf, Tus};
        if upload.parts.is_some() {
            let why = "presigned parts are set (set_parts), which need the size first";
            return Err(Error::size_needed(why));
        }
        if !matches!(self.protocol, Auto | Tus | Ietf) {
            return Err(Error::size_needed(&format!(
                "the protocol is set to {} (set_protocol), which needs the size first",
                self.protocol.name()
            )));
        }
        if self.dialect.is_some() {
            let why = "a dialect is set (set_dialect), which needs the size first";
            return Err(Error::size_needed(why));
        }
        match upload.digest {
            DigestMode::First => Err(Error::InvalidArgument {
                what: "digest",
                why: "cannot be computed first of a stream that is read only once; compute it in one pass, \
                      or none"
                    .to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Checks that the finished file can be read back and compared.
    fn check_read_back(&self, upload: &UploadOptions, protocol: &str) -> Result<(), Error> {
        let why = if upload.digest == DigestMode::None {
            "(set_read_back) and no digest (set_digest) were both set, and the bytes are compared by \
             their digest; set the digest to one pass or first"
                .to_owned()
        } else if upload.parts.is_some() {
            format!(
                "(set_read_back) and {protocol} were both set, and none of their URLs reads the file; \
                 leave one of them out"
            )
        } else if self.dialect.is_some() || self.protocol == ProtocolName::Session {
            format!(
                "(set_read_back) and {protocol} were both set, and no URL of the finished file is \
                 known there; compare the file by other means"
            )
        } else {
            return Ok(());
        };
        Err(Error::InvalidArgument {
            what: "read back",
            why,
        })
    }
}

/// A client's options and their session. A run takes a copy when it begins.
#[derive(Debug, Clone)]
pub(crate) struct ClientState {
    pub options: ClientOptions,
    /// Counts the changes of the options.
    pub version: u64,
    /// The session that these options have begun.
    pub session: Arc<SessionState>,
    /// The process that the session is for.
    pub process: u32,
}

impl ClientState {
    /// Makes the state of a client with the default options, for the server at `endpoint`.
    pub(crate) fn new(endpoint: &str) -> Result<Self, Error> {
        Ok(ClientState {
            options: ClientOptions {
                connection: ConnectionOptions::new(endpoint)?,
                credentials: Credentials::default(),
                user: None,
                protocol: ProtocolName::default(),
                dialect: None,
                locate_method: LocateMethod::default(),
                creation_with_upload: false,
                filename_style: FilenameStyle::default(),
                retry: RetryPolicy::default(),
            },
            version: 0,
            session: Arc::default(),
            process: process::id(),
        })
    }

    /// Makes the state for URLs that are all that a request needs: nothing of the client's login goes there. `place` is what
    /// their upload is known by.
    pub(crate) fn without_login(&self, place: &str) -> Result<Self, Error> {
        let home = &self.options.connection;
        let mut hasher = DefaultHasher::new();
        let endpoint = Endpoint::parse(place)?;
        (self.version, endpoint.origin().to_string()).hash(&mut hasher);
        Ok(ClientState {
            options: ClientOptions {
                connection: ConnectionOptions {
                    endpoint,
                    certificates: Certificates {
                        client: None,
                        ..home.certificates.clone()
                    },
                    ..home.clone()
                },
                credentials: Credentials::default(),
                user: None,
                ..self.options.clone()
            },
            // So the pool keeps connections to one origin only.
            version: hasher.finish(),
            session: Arc::default(),
            process: self.process,
        })
    }

    /// Gives the options for a change. Connections and sessions made with the old ones are not used
    /// again.
    pub(crate) fn change(&mut self) -> &mut ClientOptions {
        self.version += 1;
        self.session = Arc::default();
        &mut self.options
    }

    /// Goes on in a child of the process (`fork()`), with a session of its own that is logged in
    /// as the parent's.
    pub(crate) fn enter_child(&mut self) {
        self.process = process::id();
        self.session = Arc::new(self.session.of_child());
    }
}

/// The state that all runs of a client share, in one process.
#[derive(Debug)]
pub(crate) struct SharedState {
    pub rate: Limiter,
    pub learned_limit: LearnedLimit,
    pub learned_protocol: LearnedProtocol,
    pub learned_digest: LearnedDigest,
    pub learned_store: LearnedStore,
    pub pool: ConnectionPool,
    /// The connections to servers of other origins than the endpoint's.
    pub others: ConnectionPool,
    pub ids: KnownIds,
    pub threads: Threads,
    pub process: u32,
}

impl Default for SharedState {
    fn default() -> Self {
        SharedState {
            rate: Limiter::default(),
            learned_limit: LearnedLimit::default(),
            learned_protocol: LearnedProtocol::default(),
            learned_digest: LearnedDigest::default(),
            learned_store: LearnedStore::default(),
            pool: ConnectionPool::default(),
            others: ConnectionPool::default(),
            ids: KnownIds::default(),
            threads: Threads::default(),
            process: process::id(),
        }
    }
}

impl SharedState {
    /// Makes the state for a child of the process (`fork()`). It has connections of its own: on the
    /// parent's, each would get the other's responses. None of the locks in this state is taken,
    /// because a run of the parent may have held one.
    pub(crate) fn of_child(&self) -> Self {
        let child = SharedState {
            learned_limit: Arc::new(AtomicU64::new(self.learned_limit.load(Relaxed))),
            learned_protocol: self.learned_protocol.clone(),
            learned_digest: self.learned_digest.clone(),
            learned_store: self.learned_store.clone(),
            ..SharedState::default()
        };
        child.rate.set(self.rate.get());
        child
    }
}

/// The options of one upload.
#[derive(Debug, Clone)]
pub(crate) struct UploadOptions {
    pub name: String,
    pub dir: String,
    /// `None` for the type by the name's extension.
    pub content_type: Option<String>,
    pub fields: Vec<(String, String)>,
    pub segment_size: SegmentSize,
    pub digest: DigestMode,
    pub algorithm: DigestAlgorithm,
    /// The number of connections at a time; 0 for as many as help.
    pub connections: u8,
    pub state_file: Option<PathBuf>,
    /// Whether the source has a size before it was read.
    pub has_size: bool,
    /// Whether the finished file is read back, where no digest of the server's proves it.
    pub reads_back: bool,
    /// Whether the state file is written only where a later run needs the upload's key.
    pub only_for_key: bool,
    /// Whether the server is asked before anything is sent, since an earlier run may have sent it.
    pub asks_first: bool,
    /// Whether the run takes the upload back.
    pub discards: bool,
    /// The upload that the last run has begun.
    pub last: LastUpload,
    /// The presigned URLs that its parts go to. If there are some, that is the protocol.
    pub parts: Option<Arc<PartsText>>,
}

impl UploadOptions {
    /// Makes the default options of an upload under the file name `name`.
    pub(crate) fn new(name: String) -> Self {
        UploadOptions {
            name,
            dir: String::new(),
            content_type: None,
            fields: Vec::new(),
            segment_size: SegmentSize::default(),
            digest: DigestMode::default(),
            algorithm: DigestAlgorithm::default(),
            connections: 0,
            state_file: None,
            has_size: true,
            reads_back: false,
            only_for_key: false,
            asks_first: false,
            discards: false,
            last: LastUpload::default(),
            parts: None,
        }
    }
}
