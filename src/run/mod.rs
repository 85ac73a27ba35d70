//! One run put together: source, protocol, link and engine.
#![forbid(unsafe_code)]

mod driver;
mod prefix;
#[cfg(test)]
mod tests;
mod throttle;
#[cfg(test)]
mod tls_cuts;

use std::cell::Cell;
use std::path::PathBuf;

use crate::api::client::Live;
use crate::control::log::LogLevel;
use crate::control::rate::Limiter;
use crate::control::Control;
use crate::digest::state_file::StateFile;
use crate::engine::segments::Segments;
use crate::error::Error;
use crate::http::session::{Fared, Session};
use crate::http::{Request, Response, Wire};
use crate::options::SegmentSize;
use crate::options::{DigestMode, Settings};
use crate::protocol::form::content_type;
use crate::protocol::{Form, Job, Signer};
use crate::source::Origin;
use crate::transport::{Cutter, IdleLinks, Link};
use driver::{Engine, Line};

/// What the host says about the file.
#[derive(Debug, Clone)]
pub(crate) struct Spec {
    pub name: String,
    pub dir: String,
    /// `None`: by the name's extension.
    pub content_type: Option<String>,
    pub fields: Vec<(String, String)>,
    pub segment_size: SegmentSize,
    pub digest: DigestMode,
    pub state_file: Option<PathBuf>,
}

/// One run, on the engine's thread.
pub(crate) fn work(
    control: &Control,
    origin: &Origin,
    spec: Spec,
    settings: Settings,
    (rate, live): (&Limiter, &Live),
) -> Result<(), Error> {
    let mut source = loop {
        control.checkpoint()?;
        match origin.open(control) {
            // A pause before the host's reader had answered.
            Err(Error::Cancelled) => {}
            opened => break opened?,
        }
    };
    let identity = source
        .identity()
        .filter(|_| spec.digest != DigestMode::None);
    let state_file = spec
        .state_file
        .zip(identity)
        .map(|(path, identity)| StateFile::new(path, identity));
    let content_type = spec
        .content_type
        .unwrap_or_else(|| content_type::by_name(&spec.name).to_owned());
    let job = Job {
        name: spec.name,
        size: source.size(),
        mtime: source.mtime(),
        md5: None,
        dir: spec.dir,
        user: settings.user.clone(),
        content_type,
        fields: spec.fields,
    };
    let credentials = &settings.credentials;
    let signer = credentials.signing.clone().map(|secret| Signer {
        secret,
        algorithm: credentials.algorithm,
    });
    let protocol = Form::new(
        settings.endpoint.clone(),
        settings.locate_method,
        settings.file_name_style,
        signer,
    );
    if !settings.certificates.verify && settings.endpoint.origin().https {
        control.log(LogLevel::Warn, || {
            let host = settings.endpoint.authority();
            format!("certificates are not verified: whoever is on the way to {host} can read and change what is sent")
        });
    }
    let line = HttpLine {
        settings: &settings,
        control,
        links: &live.links,
        fared: Fared::default(),
    };
    let engine = Engine {
        protocol: &protocol,
        line: &line,
        control,
        source: &mut *source,
        job,
        retry: settings.retry,
        digest: spec.digest,
        state_file,
        segments: Segments::new(spec.segment_size, live.segment.clone()),
        rates: [rate, &live.rate],
    };
    engine.run()
}

/// Links to the client's server.
struct HttpLine<'a> {
    settings: &'a Settings,
    control: &'a Control,
    links: &'a IdleLinks,
    fared: Fared,
}

impl Line for HttpLine<'_> {
    fn open(&self) -> Result<(Box<dyn Wire + '_>, Option<Cutter>), Error> {
        let link = self.links.take(self.settings)?;
        let cutter = link.cutter();
        let borrowed = Borrowed {
            link: Some(link),
            whole: Cell::new(false),
            line: self,
        };
        let session = Session {
            wire: Box::new(borrowed),
            credentials: &self.settings.credentials,
            endpoint: &self.settings.endpoint,
            standing: &self.settings.standing,
            fared: &self.fared,
        };
        Ok((Box::new(session), Some(cutter)))
    }
}

/// A link that goes back to the idle ones when all went well. Its answers' statuses are noted for
/// the host.
struct Borrowed<'a> {
    link: Option<Link>,
    whole: Cell<bool>,
    line: &'a HttpLine<'a>,
}

impl Wire for Borrowed<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        self.whole.set(false);
        let link = self.link.as_ref().expect("a link until it is dropped");
        let response = link.exchange(request)?;
        self.line.control.answered(response.status);
        // After a refusal nobody knows what the server still reads.
        self.whole.set(response.status == 200);
        Ok(response)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let uncut = self.line.control.disarm();
        if let Some(link) = self.link.take().filter(|_| uncut && self.whole.get()) {
            let version = self.line.settings.version;
            self.line.links.give(version, link);
        }
    }
}
