//! Upload: numbers
//!
//! What an upload has done, and how it goes on. For a handle that is not valid each function
//! returns 0.
//!
//! @param upload  an upload
//!
//! Threads: any, at any time. Callbacks: none.

use super::internal::entry::read;
use super::types::resup_upload;
use super::upload_callbacks::code;
use super::upload_run::RESUP_FOREVER;
use super::upload_settings::{
    RESUP_DIGEST_ALGORITHM_AUTOMATIC, RESUP_DIGEST_ALGORITHM_BLAKE3, RESUP_DIGEST_ALGORITHM_MD5,
    RESUP_DIGEST_ALGORITHM_SHA256,
};
use crate::control::snapshot::Snapshot;
use crate::options::DigestAlgorithm;

fn number<T: Default>(upload: *const resup_upload, of: impl FnOnce(Snapshot) -> T) -> T {
    read(upload, T::default(), |entry| of(entry.remote.snapshot()))
}

/// Returns the state, one of the RESUP_STATE_ constants.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_state(upload: *const resup_upload) -> i32 {
    number(upload, |now| code(now.state))
}

/// The size of a stream without a size, until its end was read.
pub const RESUP_SIZE_UNKNOWN: u64 = u64::MAX;

/// Returns the bytes in the whole file; 0 before a run has opened it, or #RESUP_SIZE_UNKNOWN.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_size(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.size)
}

/// Returns the bytes that the server has confirmed to hold, from the start of the file.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_offset(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.offset)
}

/// Returns the confirmed bytes and those handed to the network since: what a progress bar shows. It
/// goes back when a lost connection has lost some.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_position(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.position)
}

/// Returns the file bytes handed to the network in this run, those that were lost included.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_bytes_sent(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.bytes_sent)
}

/// Returns the file bytes that the server had at this run's beginning: they were not sent.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_bytes_skipped(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.bytes_skipped)
}

/// Returns the bytes per second over the last seconds; 0 while nothing is being sent.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_rate(upload: *const resup_upload) -> u64 {
    number(upload, |now| now.rate)
}

/// Returns the milliseconds left to the end at the present rate; #RESUP_FOREVER when unknown.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_time_left(upload: *const resup_upload) -> u32 {
    number(upload, |now| {
        let left = now.time_left.map_or(u128::MAX, |left| left.as_millis());
        u32::try_from(left).map_or(RESUP_FOREVER, |left| left.min(RESUP_FOREVER))
    })
}

/// Returns how many attempts this run has begun: 1, and 1 more after each failure and pause.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_attempts(upload: *const resup_upload) -> u32 {
    number(upload, |now| now.attempts)
}

/// Returns the milliseconds left until the next attempt in #RESUP_STATE_WAITING; else 0.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_retry_in(upload: *const resup_upload) -> u32 {
    number(upload, |now| {
        let left = now.retry_in.unwrap_or_default().as_millis();
        u32::try_from(left).unwrap_or(u32::MAX)
    })
}

/// Returns the HTTP status of the server's last answer in this run; 0 when there was none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_http_status(upload: *const resup_upload) -> i32 {
    number(upload, |now| now.http_status.unwrap_or(0).into())
}

/// Returns the algorithm of the digest, one of the RESUP_DIGEST_ALGORITHM_ constants;
/// #RESUP_DIGEST_ALGORITHM_AUTOMATIC before the server has agreed to one, and without a digest.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_digest_algorithm(upload: *const resup_upload) -> i32 {
    read(
        upload,
        RESUP_DIGEST_ALGORITHM_AUTOMATIC,
        |entry| match entry.remote.digest_algorithm() {
            None | Some(DigestAlgorithm::Automatic) => RESUP_DIGEST_ALGORITHM_AUTOMATIC,
            Some(DigestAlgorithm::Blake3) => RESUP_DIGEST_ALGORITHM_BLAKE3,
            Some(DigestAlgorithm::Sha256) => RESUP_DIGEST_ALGORITHM_SHA256,
            Some(DigestAlgorithm::Md5) => RESUP_DIGEST_ALGORITHM_MD5,
        },
    )
}

/// Returns 1 when the last run failed and another one, later and unchanged, may succeed; else 0. After a cancel it is 0: the
/// program wanted the end.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_is_retryable(upload: *const resup_upload) -> i32 {
    read(upload, 0, |entry| entry.is_retryable().into())
}
