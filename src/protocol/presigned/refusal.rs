//! Refusals in the words of S3: an XML document with a code and a message.

use super::spec::without_query;
use super::{xml, Presigned};
use crate::error::{Error, RefusalKind};
use crate::http::{limited, refusal_of, Response};

const EXPIRED: &str = "the URLs have expired: get new ones for the same upload, set them (set_parts) and run again, and it goes \
                       on with the parts that are there";
const GONE: &str = "there is no such upload any more: it was completed, aborted, or ended by a rule of the bucket; look \
                    whether the file is there, or begin an upload anew and set its URLs";
const SIGNED_OTHERWISE: &str =
    "the URL was signed for another method, or with header fields that are not sent, such as \
                                Content-Type, Content-MD5 or x-amz-checksum-…: sign the host alone";
const REGION: &str =
    "the URL is not signed for the place of the bucket; sign it with the right region or endpoint";

impl Presigned<'_> {
    /// Whether a response says that there is no such upload.
    pub(super) fn is_gone(&self, response: &Response) -> bool {
        let text = String::from_utf8_lossy(&response.body);
        let code = xml::value(&text, "Code");
        response.status >= 400 && code.is_some_and(|code| code == "NoSuchUpload")
    }

    /// Makes the error for a response that refuses the request `what`. It shows no query of a URL, and of the document no more
    /// than code and message: others tell how the URL was signed.
    pub(super) fn refusal(&self, response: &Response, what: &str) -> Error {
        let text = String::from_utf8_lossy(&response.body);
        let error = xml::elements(&text, "Error").next();
        let read = |name| error.and_then(|error| xml::value(error, name));
        let (code, message) = (read("Code"), read("Message"));
        let words: Vec<_> = [&code, &message].into_iter().flatten().cloned().collect();
        let code = code.unwrap_or_default();
        let is_told = message.is_some_and(|it| it.to_ascii_lowercase().contains("expired"));
        let has_expired = code != "NoSuchUpload" && is_told
            || matches!(&*code, "ExpiredToken" | "ExpiredRequest" | "RequestExpired");
        let is_redirect = (300..=399).contains(&response.status);
        let why = match &*code {
            _ if has_expired => Some(EXPIRED),
            "NoSuchUpload" => Some(GONE),
            "SignatureDoesNotMatch" => Some(SIGNED_OTHERWISE),
            _ if is_redirect => Some(REGION),
            _ => None,
        };
        let kind = match &*code {
            "SlowDown" | "ServiceUnavailable" | "TooManyRequests" => Some(RefusalKind::Busy),
            "InternalError" | "RequestTimeout" | "IncompleteBody" | "OperationAborted" => {
                Some(RefusalKind::Failing)
            }
            "EntityTooLarge" => Some(RefusalKind::TooLarge),
            _ if has_expired => Some(RefusalKind::NotAllowed),
            // Nothing has shown that something else answers in the server's place.
            _ if is_redirect && !self.memory().has_answered => Some(RefusalKind::NotAllowed),
            _ => None,
        };
        let mut error = refusal_of(response, None);
        if let Error::Refused(refusal) = &mut error {
            refusal.message = (!words.is_empty()).then(|| limited(&words.join(": ")));
            refusal.hint = Some(match why {
                Some(why) => format!("it was {what}; {why}"),
                None => format!("it was {what}"),
            });
            refusal.redirect = response
                .location()
                .filter(|_| is_redirect)
                .map(|location| limited(without_query(&location)));
            refusal.kind = kind.unwrap_or(refusal.kind);
            let shown = refusal.excerpt.to_ascii_lowercase();
            if !words.is_empty()
                || ["signature", "x-amz-", "?"]
                    .iter()
                    .any(|it| shown.contains(it))
            {
                refusal.excerpt.clear();
            }
        }
        error
    }

    /// Makes the error for a success without an ETag.
    pub(super) fn no_etag(&self, response: &Response, what: &str) -> Error {
        let why = format!(
            "status {} to {what}, without an ETag, by which the parts are made a file; is the URL one of S3, or does a proxy \
             drop the field?",
            response.status
        );
        if self.memory().has_answered {
            return Error::bad_response(why);
        }
        let mut error = refusal_of(response, Some(why));
        if let Error::Refused(refusal) = &mut error {
            (refusal.kind, refusal.message) = (RefusalKind::Other, None);
            refusal.excerpt.clear();
        }
        error
    }
}
