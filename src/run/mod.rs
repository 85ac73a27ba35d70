//! A run of an upload: puts its parts together, and carries out the engine's steps.
//!
//! Only this module uses the run's control, source, digest and connection together.

mod answers;
mod connector;
mod digest_ahead;
mod discard;
mod driver;
mod ends;
mod hashed_source;
mod ids;
mod keyed;
mod last_upload;
mod learned_digest;
mod learned_store;
mod options;
mod origins;
mod pace;
mod parallel;
mod part_reader;
mod proof;
mod read_back;
mod reading;
mod senders;
mod sending;
mod settling;
mod setup;
mod store;
#[cfg(test)]
mod tests;
mod threads;
mod throttle;
#[cfg(test)]
mod tls_cuts;

pub(crate) use options::{ClientState, SharedState, UploadOptions};

use connector::HttpConnector;
use discard::Discard;
use driver::Driver;
use last_upload::version;
use setup::Setup;

use crate::control::log::LogLevel;
use crate::control::rate::Limiter;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::StateFile;
use crate::engine::MOST_CONNECTIONS;
use crate::error::Error;
use crate::http::session::AuthHistory;
use crate::protocol::form::{content_type, Form, Signer};
use crate::protocol::{choose, put_parts, speak, Job, PartsText};
use crate::source::{Opener, Source, Window};

/// The size of the smallest file that may go up in sections, where the server joins them: some copy all bytes for that.
const LEAST_IN_SECTIONS: u64 = 16 << 20;

/// Runs an upload, on the run's own thread.
pub(crate) fn run_upload(
    control: &Control,
    opener: &Opener,
    upload: UploadOptions,
    client: &ClientState,
    (rate, shared): (&Limiter, &SharedState),
) -> Result<(), Error> {
    let mut source = open(control, opener)?;
    let parts = upload.parts.as_deref();
    let bare = parts
        .map(|parts| client.without_login(&parts.place()))
        .transpose()?;
    let (client, pool) = match &bare {
        Some(bare) => (bare, &shared.others),
        None => (client, &shared.pool),
    };
    let endpoint = &client.options.connection.endpoint;
    let content_type = upload
        .content_type
        .unwrap_or_else(|| content_type::by_name(&upload.name).to_owned());
    let options = &client.options;
    let connections = match (opener, upload.connections) {
        (Opener::Stream | Opener::Forward(_), _) => 0,
        (_, 0) => MOST_CONNECTIONS,
        (_, connections) => usize::from(connections).min(MOST_CONNECTIONS),
    };
    let job = Job {
        name: upload.name,
        size: source.size(),
        is_passed: source.window().is_some_and(Window::is_passed),
        mtime: source.mtime(),
        offer: &[],
        digests: Vec::new(),
        dir: upload.dir,
        user: options.user.clone(),
        content_type,
        fields: upload.fields,
        connections: match source.size() < LEAST_IN_SECTIONS {
            true => connections.min(1),
            false => connections,
        },
    };
    let target = keyed::target(endpoint, &job);
    let version = version(opener, &*source);
    let of = version.map(|version| format!("{version} {target}"));
    let state_file = upload.state_file.and_then(|path| {
        let file = StateFile::new(path, source.identity()?, &target);
        Some(match upload.only_for_key {
            true => file.only_for_key(),
            false => file,
        })
    });
    let saved = state_file.as_ref().and_then(StateFile::load_upload);
    let saved = saved
        .map(|saved| (saved.protocol, saved.key))
        .or_else(|| upload.last.get(of.as_deref()?));
    let credentials = &options.credentials;
    let signer = credentials.signing.clone().map(|secret| Signer {
        secret,
        algorithm: credentials.algorithm,
    });
    let form = Form::new(
        endpoint.clone(),
        options.locate_method,
        options.filename_style,
        signer,
    );
    let saved_protocol = saved.as_ref().map(|(protocol, _)| protocol.as_str());
    let learned = &shared.learned_protocol;
    let protocol = match (parts, &options.dialect) {
        (Some(parts), _) => {
            let record = saved.as_ref().map(|(_, record)| record.as_str());
            put_parts(parts, &job, record)?
        }
        (None, Some(dialect)) => {
            let how = (options.filename_style, upload.segment_size);
            speak(dialect, endpoint, how, (&job, &target))?
        }
        (None, None) => {
            // Its end may be known from an earlier run, which was by a protocol for all sizes.
            let has_size = source.window().is_none();
            choose(options.protocol, form, (saved_protocol, has_size), learned)?
        }
    };
    let saved = saved.filter(|(saved, _)| {
        let is_spoken = saved == protocol.name();
        if !is_spoken {
            control.log(LogLevel::Warn, || {
                let name = protocol.name();
                format!(
                    "the upload was begun by {saved}, and this run speaks {name}; it begins anew"
                )
            });
        }
        is_spoken
    });
    if let (Some(file), None) = (&state_file, &saved) {
        file.forget_upload();
    }
    // The parts have taken what was noted of them.
    let key = saved.map(|(_, key)| parts.map_or(key, PartsText::id));
    if !options.connection.certificates.verify && endpoint.origin().https {
        control.log(LogLevel::Warn, || {
            let host = endpoint.authority();
            format!("certificates are not verified: anyone on the network path to {host} can read and change the upload")
        });
    }
    let connector = HttpConnector {
        client,
        pool,
        others: &shared.others,
        control,
        history: AuthHistory::default(),
    };
    if upload.discards {
        Discard {
            protocol: &*protocol,
            connector: &connector,
            control,
            source: &mut *source,
            job,
            key,
            retry: options.retry,
            digest: upload.digest,
        }
        .run()?;
        if let Some(file) = state_file {
            file.remove_unused();
        }
        upload.last.forget();
        return Ok(());
    }
    let is_stream = source.window().is_some();
    let driver = Driver::new(Setup {
        protocol: &*protocol,
        connector: &connector,
        control,
        source: &mut *source,
        job,
        key,
        retry: options.retry,
        digest: upload.digest,
        algorithm: upload.algorithm,
        state_file,
        segment_size: upload.segment_size,
        learned_limit: shared.learned_limit.clone(),
        learned_digest: &shared.learned_digest,
        asks_first: upload.asks_first,
        learned_store: &shared.learned_store,
        creates_with_file: options.creation_with_upload,
        connections,
        ids: &shared.ids,
        reads_back: upload.reads_back,
        rates: [rate, &shared.rate],
    });
    let result = driver.run();
    match (&result, of) {
        // A stream that is complete cannot be sent again: a further run finds it at the server.
        (result, Some(of)) if protocol.abilities().needs_key && (result.is_err() || is_stream) => {
            upload.last.note(of, &*protocol, control);
        }
        _ => upload.last.forget(),
    }
    result
}

/// Opens the source. The program may interrupt its stream before the stream has given its size.
fn open<'a>(control: &'a Control, opener: &Opener) -> Result<Box<dyn Source + 'a>, Error> {
    loop {
        control.checkpoint()?;
        match opener.open(control) {
            Ok(source) => return Ok(source),
            Err(Stop::Failed(error)) => return Err(error),
            Err(Stop::Interrupted) => {}
        }
    }
}
