//! Parts: several sends of one upload at a time.

use std::time::Instant;

use super::content::Content;
use super::ranges::Range;
use super::response::Response;
use super::upload::{Client, Kind, Upload, Writer};
use super::{get, Fields, Uploads};
use crate::model::{Flaw, Options};

impl Uploads {
    /// Holds bytes of a file from an offset on, as those of a part.
    pub(crate) fn hold(&mut self, file: &Fields, options: &Options, (from, bytes): (u64, &[u8])) {
        let found = self.find_or_make(file, options);
        let Ok((index, _)) = found else {
            panic!("{file:?} is no file");
        };
        let content = Content::new(bytes.to_vec(), true);
        let upload = &mut self.list[index];
        upload.ranges.replace(Range { from, content });
        upload.join();
    }
}

/// Reads the run of a part; `None` if the send is none.
pub(super) fn run_of(fields: &Fields, options: &Options) -> Result<Option<String>, Response> {
    // 1.0 does not know the field.
    let Some(run) = get(fields, "part").filter(|_| !options.digests.is_empty()) else {
        return Ok(None);
    };
    if options.parts.is_none() {
        return Err(Response::error(400, "no parts here"));
    }
    let is_name =
        (1..=64).contains(&run.len()) && run.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_name || options.has(Flaw::AnyRunName) {
        true => Ok(Some(run.to_owned())),
        false => Err(Response::error(400, "part is no name of a run")),
    }
}

/// Makes room for a part. Gives the response if it is not to be taken.
pub(super) fn begin(
    upload: &mut Upload,
    kind: &Kind,
    (from, to): (u64, u64),
    options: &Options,
    client: &Client,
) -> Result<(), Response> {
    // Others that are still there are dead.
    upload.end_writers(|writer| writer.kind != *kind);
    let overlaps = |writer: &Writer| writer.piece.from < to && from < writer.to;
    if options.has(Flaw::OverlapIsLocked) && upload.writers.iter().any(overlaps) {
        return Err(Response::error(423, "a mistake"));
    }
    upload.end_writers(overlaps);
    // What they brought may touch the offset.
    let held = upload.content.len();
    if to <= held && !options.has(Flaw::RepeatedPartConflicts) {
        return Err(upload.response(200, options, client, None));
    }
    if from < held {
        return Err(upload.response(409, options, client, None));
    }
    let most = options.parts.unwrap_or_default();
    if upload.writers.len() as u64 >= most && !options.has(Flaw::AnyNumberOfParts) {
        return Err(Response::error(429, "too many parts at a time"));
    }
    Ok(())
}

/// Ends a part that came as a whole.
pub(super) fn finish(
    upload: &mut Upload,
    writer: &mut Writer,
    tail: &Fields,
    options: &Options,
    client: &Client,
) -> Response {
    let field = format!("part_{}", client.digest);
    let Some(theirs) = get(tail, &field) else {
        return Response::error(400, &format!("{field} is missing after the file"));
    };
    let from = writer.piece.from;
    let empty = Range {
        from,
        content: Content::default(),
    };
    let mut piece = std::mem::replace(&mut writer.piece, empty);
    let agrees = piece
        .content
        .hex(&client.digest)
        .eq_ignore_ascii_case(theirs);
    if !agrees && !options.has(Flaw::PartsUnchecked) {
        if options.has(Flaw::KeepsWrongParts) {
            upload.ranges.replace(piece);
        }
        return upload.response(422, options, client, None).of_digest();
    }
    piece.content.prove();
    match options.has(Flaw::OldBytesStay) {
        true => upload.ranges.fill(piece),
        false => upload.ranges.replace(piece),
    }
    upload.join();
    upload.complete |= options.has(Flaw::PartsComplete) && upload.content.len() == upload.size;
    upload.response(200, options, client, None)
}

/// Makes a writer of the bytes `from..to`.
pub(super) fn writer(turn: u64, kind: Kind, (from, to): (u64, u64), digest: &str) -> Writer {
    let mut content = Content::default();
    // From now on the digest is kept up to date.
    content.hex(digest);
    Writer {
        turn,
        kind,
        piece: Range { from, content },
        to,
        heard: Instant::now(),
    }
}
