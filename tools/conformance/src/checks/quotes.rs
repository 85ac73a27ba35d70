//! The sentences of docs/PROTOCOL.md that the checks are about, so that a reader finds them.

/// The beginning or the part of a sentence, and the ids of the checks that are about it.
type Quote = (&'static str, &'static [&'static str]);

/// Returns the sentence for a check.
pub fn quote(id: &str) -> Option<&'static str> {
    let found = QUOTES.iter().find(|(_, ids)| ids.contains(&id));
    found.map(|(quote, _)| *quote)
}

const QUOTES: &[Quote] = &[
    // Locate
    (
        "`POST endpoint` with `application/x-www-form-urlencoded`, or `GET endpoint?…`",
        &["locate-new-post", "locate-new-get"],
    ),
    ("bytes the server holds durably, from the start, without a gap", &["locate-partial"]),
    ("0 with `new`, size with `complete`", &["locate-complete"]),
    (
        "the server's own key of this upload, the same in all answers about it",
        &["locate-again", "answer-id", "hostile-ids"],
    ),
    (
        "An answer to a locate with `prefix` = `1`, and to a send, carries `prefix_md5` where the server knows it",
        &["locate-prefix-md5", "send-prefix-md5"],
    ),
    ("Both are plain HTML-form requests", &["locate-encodings", "hostile-urlencoded"]),
    ("the program's own extra fields, passed through", &["locate-extra-fields"]),
    ("bytes in the whole file, decimal", &["locate-huge-size", "wrong-locates"]),
    ("an instant upload then needs it to be the same, too", &["instant-other-sha256"]),
    (
        "the server has the content already (same owner, same size, same digest) and no byte is sent",
        &["instant-upload", "instant-other-size", "instant-unfinished"],
    ),
    ("the most file bytes that one send may carry", &["limit-too-long", "limit-just-right"]),
    (
        "`application/json` in UTF-8 without a byte order mark and without a Content-Encoding",
        &["answer-json"],
    ),
    ("file name, UTF-8, no path", &["names-unicode", "names-signs", "names-case"]),
    ("neither `/` nor NUL, not `.` or `..`", &["names-hostile"]),
    (
        "target directory on the server, relative, `/`-separated, may be empty; its parts are names as above",
        &["names-of-dirs"],
    ),
    // Send
    (
        "exactly `length` bytes of the file from `offset`",
        &["send-whole", "send-any-bytes", "wrong-length"],
    ),
    (
        "`partial` with the new durable offset, or `complete`",
        &["send-odd-offsets", "send-repeated"],
    ),
    (
        "A file of no bytes is sent like any other, with a `length` of 0.",
        &["send-empty-file"],
    ),
    (
        "`offset` (where these bytes begin), `length` (how many this request carries)",
        &["send-empty-segment", "wrong-sends", "wrong-range"],
    ),
    ("`POST endpoint` with `multipart/form-data`.", &["send-in-pieces"]),
    (
        "`filename*` (RFC 8187), after `filename`, is a client setting",
        &["send-filename-star"],
    ),
    (
        "A client that has it may send `sha256` of the whole file beside `md5`.",
        &["send-sha256"],
    ),
    (
        "A client may send `Expect: 100-continue` (RFC 9110, 10.1.1) with a large body",
        &["send-expect-continue"],
    ),
    (
        "tells the server to drop what it holds of this upload, finished or not",
        &["restart-unfinished", "restart-finished", "restart-broken"],
    ),
    (
        "a server whose content has another digest by now ignores the field",
        &["restart-late"],
    ),
    (
        "A receiver **keeps what arrived of a broken request**",
        &["broken-keeps", "broken-resumes", "broken-by-reset", "broken-before-file"],
    ),
    ("after the file, because it is known only then", &["broken-before-digest"]),
    ("a send of `length` 0 brings the `md5`", &["broken-empty-end"]),
    ("If the request brought nothing, all is dropped.", &["broken-wrong-end"]),
    ("A writer that gets no bytes meanwhile is dead", &["writer-dead"]),
    (
        "one that still gets bytes stays, and the new request is answered 423",
        &["writer-live"],
    ),
    (
        "While another request is writing the upload, a receiver waits up to 2 seconds for it to end.",
        &["writers-race"],
    ),
    (
        "Without the field an `offset` of `0` is an offset like any other.",
        &["conflict-offset-zero"],
    ),
    (
        "After a wrong digest a receiver drops what the request brought.",
        &["digest-md5"],
    ),
    ("A receiver need not check the `prefix_md5` of a send", &["digest-prefix-md5"]),
    (
        "`md5` of the whole file when this request ends at `size`",
        &["digest-of-resumed"],
    ),
    ("a part without a `name` are answered 400", &["hostile-multipart"]),
    // Digests by agreement
    (
        "A receiver takes the first of the client's `digests` that it can use for this upload.",
        &["agree-first", "agree-newer-continues"],
    ),
    (
        "Where it can use none of them, it leaves the member out.",
        &["agree-unknown"],
    ),
    (
        "The agreed digest is the one that the `digest` of the last answer names; without that member it is `md5`.",
        &["agree-members"],
    ),
    (
        "as `prefix_md5`, where that digest is the agreed one",
        &["agree-prefix"],
    ),
    (
        "the field or member of the agreed digest takes its place",
        &[
            "agree-whole", "agree-wrong", "agree-restart", "agree-instant", "agree-identity",
        ],
    ),
    (
        "Only then does a receiver's answer have the members of 1.1",
        &["agree-older-answers"],
    ),
    (
        "So a peer of 1.0, which ignores names that it does not know, meets nothing new.",
        &["agree-older-continues"],
    ),
    // Store
    (
        "a client may store a file of at most so many bytes at the same endpoint without a locate",
        &["store-whole", "store-too-large"],
    ),
    (
        "A file that it has already is answered `complete` and not stored again, so a store may be repeated.",
        &["store-again"],
    ),
    (
        "Where it holds a part of the file, it answers as for a locate (`partial`) and takes no byte of the body",
        &["store-partial"],
    ),
    (
        "Bytes that do not match the digest are answered 422 and dropped.",
        &["store-wrong"],
    ),
    ("A broken store leaves nothing.", &["store-broken"]),
    (
        "The receiver checks what it would check for both",
        &["store-owner", "store-signed"],
    ),
    // Parts
    (
        "`offset` is still the end of what it holds from the start without a gap",
        &["parts-any-order"],
    ),
    (
        "`ranges` is what it holds behind it, in order, without overlaps, 1000 at most",
        &["parts-ranges", "parts-next-run"],
    ),
    ("No part completes the file.", &["parts-end"]),
    (
        "Where that is wrong, all is dropped that no digest covers.",
        &["parts-wrong-end"],
    ),
    (
        "bytes of a part whose digest is wrong are dropped (422)",
        &["parts-wrong"],
    ),
    (
        "What arrived of a broken part is kept as a range with the digest of what arrived, if the receiver can",
        &["parts-broken"],
    ),
    (
        "A part that ends at `offset` or before it is there already: it is answered as if it had been taken.",
        &["parts-repeated"],
    ),
    (
        "A part replaces the bytes of the ranges that it reaches into",
        &["parts-replace"],
    ),
    (
        "A send without `part` that brings bytes drops the ranges.",
        &["parts-then-send"],
    ),
    (
        "The value of `part` is a random text of 1 to 64 letters and digits",
        &["parts-invalid"],
    ),
    (
        "a client may have up to so many sends of one upload under way",
        &["parts-at-once"],
    ),
    (
        "A part beyond the answered `parts` is answered 429.",
        &["parts-too-many"],
    ),
    (
        "a send without `part` or with another value is another request (423 after 2 seconds)",
        &["parts-other-run", "parts-dead-run"],
    ),
    (
        "A part that overlaps one of its own run still at work ends the older one, whose connection is lost",
        &["parts-overlap"],
    ),
    // Discard
    (
        "such a locate makes nothing there: of a file that it does not know the answer is `new`, without an `id`",
        &["discard-asks"],
    ),
    (
        "drops its bytes, its ranges and its record, then answers `200` with the state `new` and the offset 0",
        &["discard-drops"],
    ),
    ("the answer to an earlier discard may have been lost", &["discard-unknown"]),
    (
        "then this upload is meant, and no other that is of the same file",
        &["discard-id"],
    ),
    ("`409` without `offset`, with a `message`; the file stays", &["discard-finished"]),
    (
        "as for a send: waits up to 2 seconds, takes over from a dead writer, else `423`",
        &["discard-writer"],
    ),
    (
        "The discard is a `POST` with `application/x-www-form-urlencoded`, never a `GET`",
        &["discard-get"],
    ),
    ("no such upload of this owner", &["discard-owner"]),
    ("extra fields, `ts`, `nonce`, `sign`", &["discard-signed"]),
    // Errors
    (
        "`offset` is not where the server is",
        &["conflict-offset", "conflict-new", "conflict-repeated"],
    ),
    ("upload forgotten or expired", &["unknown-id"]),
    (
        "An early answer, while the body is still on its way, has to stay readable",
        &["early-conflict", "early-unknown-id", "login-early"],
    ),
    (
        "An answer must have a Content-Length or be chunked: else a cut one looks whole.",
        &["answer-length"],
    ),
    ("Every error may carry a JSON object with `message`.", &["answer-errors"]),
    // What makes a file the same file
    (
        "A receiver finds an upload by owner + `dir` + `name` + `size` and, where given, `md5`, else `mtime`.",
        &[
            "identity-name", "identity-dir", "identity-size", "identity-mtime", "identity-md5",
            "identity-md5-first", "locates-race", "owner-files", "owner-ids",
        ],
    ),
    ("A source without `mtime` is located with its `md5`", &["identity-no-mtime"]),
    // Signing
    (
        "`sign` = lower-case hex HMAC of the fields before the file",
        &["sign-accepted"],
    ),
    (
        "A wrong `sign` is answered 403 before a byte of the file is taken",
        &["sign-needed", "sign-wrong", "sign-changed"],
    ),
    ("a wrong `sign_tail` 403 as well", &["sign-tail"]),
    (
        "A receiver refuses a `ts` more than 5 minutes off and a `nonce` that it has seen.",
        &["sign-nonce", "sign-time"],
    ),
    ("answers instant uploads only within one owner", &["owner-instant"]),
    // Login
    (
        "Form login (`POST` of named fields, urlencoded, cookies kept), HTTP Basic, bearer token",
        &["login-accepted", "login-session"],
    ),
    ("not logged in, not allowed", &["login-needed", "login-wrong"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::all;

    #[test]
    fn each_check_has_one_sentence_and_the_document_has_it() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PROTOCOL.md");
        let document = std::fs::read_to_string(path).unwrap();
        // A line's end may be inside of a sentence.
        let words: Vec<_> = document.split_whitespace().collect();
        let document = words.join(" ");
        for (quote, _) in QUOTES {
            assert!(document.contains(quote), "{quote}");
        }
        let mut quoted: Vec<_> = QUOTES.iter().flat_map(|(_, ids)| *ids).copied().collect();
        let mut checks: Vec<_> = all().map(|check| check.id).collect();
        quoted.sort_unstable();
        checks.sort_unstable();
        assert_eq!(quoted, checks);
    }
}
