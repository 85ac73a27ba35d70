//! Deliberate mistakes.

/// What a model receiver does wrong, for tests of what finds such receivers out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// An unfinished upload's offset is told one too high.
    OffsetTooHigh,
    /// The `prefix_md5` that is told is of other bytes.
    WrongPrefix,
    /// The bytes of a broken request are claimed, but zeros are held.
    LosesBroken,
    /// A broken request's whole length is claimed.
    ClaimsLength,
    /// No digest is compared.
    NoDigestCheck,
    /// A wrong digest is 422, but the bytes stay.
    KeepsWrongBytes,
    /// All bytes make a file complete, even without their digest.
    CompleteUnproved,
    /// A 409 has no offset.
    ConflictWithoutOffset,
    /// Bytes are taken at whatever offset they are said to have.
    AnyOffset,
    /// Any `restart` drops what is held.
    AnyRestart,
    /// No `restart` does.
    NoRestart,
    /// What is longer than `max_segment` is taken.
    AnySegment,
    /// An id that was never given is 400.
    UnknownIdIs400,
    /// A field that is not known is 400.
    RefusesExtra,
    /// Characters outside of ASCII become question marks.
    AsciiNames,
    /// A plus sign stays one.
    PlusStays,
    /// The directory does not tell files apart.
    IgnoresDir,
    /// The time of the last change does not tell files apart.
    IgnoresMtime,
    /// The MD5 of a locate is not looked at.
    IgnoresMd5,
    /// Known content is found by its MD5 alone.
    AnySize,
    /// Ids are good for every owner.
    SharedIds,
    /// Files are found for every owner.
    SharedFiles,
    /// Content is known to every owner.
    SharedContent,
    /// A connection is reset when its body is not wanted.
    ResetsEarly,
    /// Answers end with their connection only.
    NoLength,
    /// What is no form is never answered.
    HangsOnNonsense,
    /// A dead writer keeps its upload.
    KeepsDead,
    /// Nobody has to show who he is.
    LetsAllIn,
    /// Every password is right.
    AnyPassword,
    /// Nothing has to be signed.
    Unsigned,
    /// A signature is looked at, but not at fields that the protocol does not know.
    ExtraUnsigned,
    /// What comes after the file does not have to be signed.
    TailUnsigned,
    /// A nonce can be used again.
    AnyNonce,
    /// A signature never gets old.
    AnyTime,
}
