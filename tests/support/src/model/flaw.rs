//! Deliberate mistakes.

use std::borrow::Cow;

use super::Options;
use crate::head::RequestHead;
use crate::uploads::{get, Fields, Response};

/// A mistake of a model receiver, for tests of what has to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The offset of an unfinished upload is one too high.
    OffsetTooHigh,
    /// The `prefix_md5` is of other bytes.
    WrongPrefix,
    /// The bytes of a request that was cut short are confirmed, but zeros are held.
    LosesBroken,
    /// The whole length of a request that was cut short is confirmed.
    ClaimsLength,
    /// No digest is compared.
    NoDigestCheck,
    /// A wrong digest is 422, but the bytes stay.
    KeepsWrongBytes,
    /// All bytes make a file complete, even without their digest.
    CompleteUnproved,
    /// A 409 has no offset.
    ConflictWithoutOffset,
    /// Bytes are accepted at every offset.
    AnyOffset,
    /// Any `restart` drops what is held.
    AnyRestart,
    /// No `restart` does.
    NoRestart,
    /// A send that is longer than `max_segment` is accepted.
    AnySegment,
    /// An id that was never given is 400.
    UnknownIdIs400,
    /// A field that is not known is 400.
    RefusesExtra,
    /// A locate by GET is 405.
    RefusesGet,
    /// `Expect` is 400.
    RefusesExpect,
    /// A file of no bytes is 400.
    RefusesEmpty,
    /// `sha256` beside the MD5 is 400.
    RefusesSha256,
    /// A size that does not fit in 32 bits is 500.
    FailsOnLargeSizes,
    /// A very long id is 500.
    FailsOnLongIds,
    /// A field with NUL in it is 500.
    FailsOnNul,
    /// A body of which only a little comes at first is 400.
    RefusesPieces,
    /// A locate without a size is one of no bytes.
    AnyLocate,
    /// From 16 KiB on, bytes are damaged.
    DamagesLong,
    /// Line ends before two hyphens are damaged.
    DamagesLineEnds,
    /// The responses to sends have a `prefix_md5` of other bytes.
    WrongPrefixInSends,
    /// The responses to sends have another id than was sent.
    OtherIdInSends,
    /// Responses say that they are web pages.
    TextAnswers,
    /// Responses begin with a byte order mark.
    ByteOrderMarks,
    /// Responses say that they are compressed.
    SaysCompressed,
    /// Characters outside of ASCII become question marks.
    AsciiNames,
    /// A plus sign stays a plus sign.
    PlusStays,
    /// Files of different directories are the same.
    IgnoresDir,
    /// Files with different times of change are the same.
    IgnoresMtime,
    /// The MD5 of a locate is not looked at.
    IgnoresMd5,
    /// Known content is found by its MD5 alone.
    AnySize,
    /// Known content is found whatever the SHA-256 of a locate is.
    AnySha256,
    /// Ids are good for every owner.
    SharedIds,
    /// Files are found for every owner.
    SharedFiles,
    /// Content is known to every owner.
    SharedContent,
    /// A connection is reset when its body is not wanted.
    ResetsEarly,
    /// Responses end with their connection only.
    NoLength,
    /// A body that is no form gets no response.
    HangsOnNonsense,
    /// A dead client keeps its upload locked.
    KeepsDead,
    /// No request needs a login.
    LetsAllIn,
    /// Every password is right.
    AnyPassword,
    /// Nothing has to be signed.
    Unsigned,
    /// A new login ends all others.
    OneSession,
    /// A signature has to be there, but not to be right.
    AnySecret,
    /// A signature is looked at, but not at fields that the protocol does not know.
    ExtraUnsigned,
    /// Names are decoded before the signature is checked: `a%22b` becomes `a"b`.
    NamesDecoded,
    /// What comes after the file does not have to be signed.
    TailUnsigned,
    /// A nonce can be used again.
    AnyNonce,
    /// A signature never gets old.
    AnyTime,
    /// Clients of 1.0 get the members of 1.1, too.
    NewMembersForAll,
    /// The numbers that 1.1 adds are in quotes.
    NewNumbersAreText,
    /// The responses to sends do not name the agreed digest.
    DigestInLocatesOnly,
    /// The last of a client's digests is agreed on.
    LastDigest,
    /// The receiver's first digest is agreed on, whatever the client offers.
    OwnDigest,
    /// The digest of the held bytes is an MD5, whatever is agreed on.
    PrefixStaysMd5,
    /// A wrong digest is noticed only if it is an MD5.
    OnlyMd5Checked,
    /// The value of `restart` is taken for an MD5.
    RestartByMd5,
    /// Known content is found by its size alone, if the digest is no MD5.
    AnyNewDigest,
    /// The bytes of an upload are dropped when a client has another digest.
    OtherDigestBeginsAnew,
    /// The digest of a store is not compared.
    StoresUnchecked,
    /// The bytes of a broken store are held.
    KeepsBrokenStores,
    /// A store is taken where a part of the file is held.
    StoreOverPart,
    /// A store of a file that is there is 409.
    StoreTwiceConflicts,
    /// A store may carry more than `small`.
    AnyStore,
    /// The offset is the end of the last range.
    OffsetOverGaps,
    /// A locate drops the ranges.
    LocateDropsRanges,
    /// Each range reaches over its end.
    RangesOverlap,
    /// Ranges have digests of other bytes.
    WrongRangeDigests,
    /// The last part makes the file complete.
    PartsComplete,
    /// The digest of a part is not compared.
    PartsUnchecked,
    /// A part with a wrong digest is 422, but its bytes stay.
    KeepsWrongParts,
    /// A second part of a run is locked out.
    OnePartAtATime,
    /// A part of another run is let in.
    AnyRun,
    /// A part that overlaps one of its own run is 423.
    OverlapIsLocked,
    /// There may be more parts at a time than `parts`.
    AnyNumberOfParts,
    /// A part that is there already is 409.
    RepeatedPartConflicts,
    /// A part does not replace what it overlaps.
    OldBytesStay,
    /// The ranges stay when a send without `part` brings bytes.
    RangesStay,
    /// Any text is taken for the name of a run.
    AnyRunName,
    /// A locate before a discard makes an upload.
    LookMakes,
    /// Discards are offered to a client that did not ask for them.
    DiscardForAll,
    /// The bytes of an upload that is discarded stay.
    DiscardKeeps,
    /// A discard deletes a finished file.
    DiscardDeletesFinished,
    /// A discard of an upload that is not known is 404.
    DiscardUnknownIs404,
    /// The id of a discard is not looked at.
    DiscardAnyId,
    /// A discard does not wait for a live writer, and ends it.
    DiscardEndsWriters,
    /// A discard is taken by GET.
    DiscardByGet,
}

/// Returns the response to a head that is refused by mistake.
pub(super) fn refused_head(head: &RequestHead, options: &Options) -> Option<Response> {
    let wrong = |status| Some(Response::error(status, "a mistake"));
    match options.flaw? {
        Flaw::RefusesGet if head.method == "GET" => wrong(405),
        Flaw::RefusesExpect if head.expects_continue() => wrong(400),
        _ => None,
    }
}

/// Returns the response to a form that is refused by mistake.
pub(super) fn refused_form(fields: &Fields, options: &Options) -> Option<Response> {
    let wrong = |status| Some(Response::error(status, "a mistake"));
    let text = |name| get(fields, name).unwrap_or_default();
    match options.flaw? {
        Flaw::RefusesExtra if !text("tenant").is_empty() => wrong(400),
        Flaw::RefusesEmpty if text("size") == "0" => wrong(400),
        Flaw::FailsOnLargeSizes if text("size").len() > 10 => wrong(500),
        Flaw::FailsOnLongIds if text("id").len() > 1000 => wrong(500),
        Flaw::FailsOnNul if fields.iter().any(|(_, value)| value.contains('\0')) => wrong(500),
        _ => None,
    }
}

/// Returns file bytes as they are stored by mistake; the first of them is at byte `at` of the file.
pub(crate) fn damaged<'b>(bytes: &'b [u8], at: u64, options: &Options) -> Cow<'b, [u8]> {
    let mut stored = Cow::Borrowed(bytes);
    if options.has(Flaw::DamagesLong) {
        for index in (16_384_u64.saturating_sub(at) as usize)..bytes.len() {
            stored.to_mut()[index] = 0;
        }
    }
    if options.has(Flaw::DamagesLineEnds) {
        for index in 0..bytes.len() {
            if bytes[index..].starts_with(b"\r\n--") {
                stored.to_mut()[index] = b'\n';
            }
        }
    }
    stored
}
