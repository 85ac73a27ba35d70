//! The native methods of `io.resup.NativeUpload`.

use std::path::PathBuf;
use std::sync::Arc;

use jni::sys::{jint, jlong};
use jni::Env;
use resup::{DigestAlgorithm, DigestMode, SegmentSize};

use crate::code::Coded;
use crate::convert::FromJava;
use crate::entry::{Entry, UPLOADS};
use crate::failure::Failure;
use crate::native::natives;
use crate::run::Run;

impl FromJava for Arc<Entry> {
    type Java<'local> = jlong;

    fn from_java<'local>(_: &mut Env<'local>, number: jlong) -> Result<Self, Failure> {
        UPLOADS.get(number)
    }
}

natives! {
    /// Cancels the run and releases the upload.
    Java_io_resup_NativeUpload_free(upload: jlong) {
        if let Some(upload) = UPLOADS.remove(upload) {
            upload.remote.cancel();
        }
    }

    Java_io_resup_NativeUpload_setName(upload: Arc<Entry>, name: String) {
        upload.lock()?.set_name(&name)?;
    }

    Java_io_resup_NativeUpload_setDirectory(upload: Arc<Entry>, directory: String) {
        upload.lock()?.set_directory(&directory)?;
    }

    Java_io_resup_NativeUpload_setContentType(upload: Arc<Entry>, content_type: String) {
        upload.lock()?.set_content_type(&content_type)?;
    }

    Java_io_resup_NativeUpload_setField(upload: Arc<Entry>, name: String, value: String) {
        upload.lock()?.set_field(&name, &value)?;
    }

    Java_io_resup_NativeUpload_setSegmentSize(upload: Arc<Entry>, bytes: u64) {
        upload.lock()?.set_segment_size(SegmentSize::Fixed(bytes))?;
    }

    Java_io_resup_NativeUpload_setAutomaticSegments(upload: Arc<Entry>) {
        upload.lock()?.set_segment_size(SegmentSize::Automatic)?;
    }

    Java_io_resup_NativeUpload_setDigest(upload: Arc<Entry>, mode: DigestMode) {
        upload.lock()?.set_digest(mode)?;
    }

    Java_io_resup_NativeUpload_setDigestAlgorithm(upload: Arc<Entry>, algorithm: DigestAlgorithm) {
        upload.lock()?.set_digest_algorithm(algorithm)?;
    }

    Java_io_resup_NativeUpload_setReadBack(upload: Arc<Entry>, read_back: bool) {
        upload.lock()?.set_read_back(read_back)?;
    }

    Java_io_resup_NativeUpload_setConnections(upload: Arc<Entry>, connections: u32) {
        upload.lock()?.set_connections(connections)?;
    }

    Java_io_resup_NativeUpload_setParts(upload: Arc<Entry>, parts: String) {
        upload.lock()?.set_parts(&parts)?;
    }

    Java_io_resup_NativeUpload_setStateFile(upload: Arc<Entry>, file: PathBuf) {
        upload.lock()?.set_state_file(file)?;
    }

    Java_io_resup_NativeUpload_setRateLimit(upload: Arc<Entry>, limit: u64) {
        upload.remote.set_rate_limit(limit);
    }

    /// Begins a run.
    Java_io_resup_NativeUpload_start(upload: Arc<Entry>) {
        upload.start()?;
    }

    /// Begins to take the upload back.
    Java_io_resup_NativeUpload_startDiscard(upload: Arc<Entry>) {
        upload.start_discard()?;
    }

    /// Blocks until the run that was begun has ended.
    Java_io_resup_NativeUpload_run(upload: Arc<Entry>, run: Run) {
        upload.run(run)?;
    }

    Java_io_resup_NativeUpload_cancel(upload: Arc<Entry>) {
        upload.remote.cancel();
    }

    Java_io_resup_NativeUpload_pause(upload: Arc<Entry>) {
        upload.remote.pause();
    }

    Java_io_resup_NativeUpload_resume(upload: Arc<Entry>) {
        upload.remote.resume();
    }

    /// Returns the numbers, in the order of `NUMBERS`.
    Java_io_resup_NativeUpload_numbers(upload: Arc<Entry>) -> Vec<jlong> {
        upload.numbers()?
    }

    /// Returns why the last attempt failed.
    Java_io_resup_NativeUpload_failure(upload: Arc<Entry>) -> Option<String> {
        upload.remote.failure().map(|failure| failure.to_string())
    }

    Java_io_resup_NativeUpload_protocol(upload: Arc<Entry>) -> Option<String> {
        upload.remote.protocol().map(str::to_owned)
    }

    Java_io_resup_NativeUpload_id(upload: Arc<Entry>) -> Option<String> {
        upload.remote.id()
    }

    Java_io_resup_NativeUpload_location(upload: Arc<Entry>) -> Option<String> {
        upload.remote.location()
    }

    /// Returns the code of the algorithm that is used; that of the automatic choice where none is.
    Java_io_resup_NativeUpload_digestAlgorithm(upload: Arc<Entry>) -> jint {
        upload.remote.digest_algorithm().unwrap_or_default().code()?
    }

    Java_io_resup_NativeUpload_digest(upload: Arc<Entry>) -> Option<String> {
        upload.remote.digest()
    }

    Java_io_resup_NativeUpload_md5(upload: Arc<Entry>) -> Option<String> {
        upload.remote.md5()
    }

    Java_io_resup_NativeUpload_serverMessage(upload: Arc<Entry>) -> Option<String> {
        upload.remote.server_message()
    }
}
