//! Uploads whose bytes come in parts.

use super::{digest_hex, Receiver, Reply, Upload, OFFER};

/// A receiver that knows a file of 1000 bytes.
pub fn start(flags: &[&str]) -> (Receiver, Upload, String) {
    let receiver = Receiver::start(flags);
    let file = Upload::new("a", 1000);
    let id = locate(&receiver, &file).id();
    (receiver, file, id)
}

/// The bounds of the ranges in a reply, whose digests must be those of the file.
pub fn ranges(reply: &Reply, file: &Upload) -> Vec<(usize, usize)> {
    let Some(ranges) = reply.json.get("ranges") else {
        return Vec::new();
    };
    let digest = reply.text("digest");
    // A range that touches the offset would be before it.
    let mut end = reply.offset() as usize + 1;
    let bounds = ranges.as_array().unwrap().iter().map(|range| {
        let bound = |name: &str| range[name].as_u64().unwrap() as usize;
        let (from, to) = (bound("from"), bound("to"));
        assert!(end <= from && from < to, "{:?}", reply.json);
        end = to;
        let hex = digest_hex(digest, &file.content[from..to]);
        assert_eq!(range[digest], hex, "{from} {to}");
        (from, to)
    });
    bounds.collect()
}

/// Locates as a client of version 1.1. What the receiver holds must be the file's.
pub fn locate(receiver: &Receiver, file: &Upload) -> Reply {
    let reply = receiver.locate(&file.clone().with("digests", OFFER));
    check(&reply, file);
    reply
}

/// Checks the offset of a reply against the file.
pub fn check(reply: &Reply, file: &Upload) {
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    let held = &file.content[..reply.offset() as usize];
    assert_eq!(reply.text("prefix_blake3"), digest_hex("blake3", held));
    ranges(reply, file);
}

/// Sends a part that must be taken.
pub fn take(receiver: &Receiver, file: &Upload, id: &str, from: usize, to: usize) -> Reply {
    let reply = receiver.exchange(&file.part(id, "run", from, to).build());
    check(&reply, file);
    reply
}

/// Sends the digest of a file whose bytes are all there.
pub fn end(receiver: &Receiver, file: &Upload, id: &str) {
    let size = file.content.len() as u64;
    let last = receiver.exchange(&file.send_with("blake3", id, size).build());
    last.expect_complete(size);
    assert!(receiver.stored(id) == file.content);
}
