//! Errors, with the types that the draft and RFC 9530's companion register.

use axum::http::StatusCode;

use crate::http::reply::{Problem, Reply};
use crate::ietf::call::{Call, OFFSET};
use crate::resource::append::{discard, Failure, Kind};
use crate::storage::record::Record;

const MISPLACED: &str = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";
const INCONSISTENT: &str =
    "https://iana.org/assignments/http-problem-types#inconsistent-upload-length";
const WRONG_DIGEST: &str =
    "https://iana.org/assignments/http-problem-types#digest-mismatching-values";

impl Call<'_> {
    /// Writes a failure as the draft has it.
    pub async fn refusal(&self, failure: Failure) -> Reply {
        let reply = match failure.kind {
            Kind::TooLong => inconsistent(failure.reply),
            Kind::Damaged | Kind::WrongFile => {
                let title = "digest of what arrived does not match the one given";
                let reply = failure.reply.with_status(StatusCode::BAD_REQUEST);
                reply.with_problem(problem(WRONG_DIGEST, title))
            }
            Kind::NoName | Kind::Other => failure.reply,
        };
        let reply = match failure.record {
            Some(record) if failure.kind == Kind::TooLong => {
                // Such an upload is invalid from then on.
                match discard(self.endpoint, &record).await {
                    Ok(()) => reply,
                    Err(failure) => failure.reply,
                }
            }
            Some(record) => reply.with_header(OFFSET, record.offset.to_string()),
            None => reply,
        };
        // All bytes were there, and it is no use to go on.
        let is_final = failure.kind == Kind::WrongFile;
        self.version.add_complete(reply, is_final)
    }

    /// Refuses an offset, since the upload is at another one.
    pub fn misplaced(&self, record: &Record, provided: u64) -> Reply {
        let message = format!(
            "Upload-Offset {provided} is not where this upload stands, {}",
            record.offset
        );
        let reply = Reply::refusal(StatusCode::CONFLICT, message).with_problem(Problem {
            expected_offset: Some(record.offset),
            provided_offset: Some(provided),
            ..problem(MISPLACED, "offset of the request is not that of the upload")
        });
        let reply = reply.with_header(OFFSET, record.offset.to_string());
        self.version.add_complete(reply, false)
    }
}

/// Makes a reply the one that lengths contradict each other.
pub fn inconsistent(reply: Reply) -> Reply {
    let reply = reply.with_status(StatusCode::BAD_REQUEST);
    reply.with_problem(problem(
        INCONSISTENT,
        "lengths of the upload contradict each other",
    ))
}

fn problem(kind: &'static str, title: &'static str) -> Problem {
    Problem {
        kind,
        title,
        expected_offset: None,
        provided_offset: None,
    }
}
