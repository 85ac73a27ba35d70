//! Upload: making one
//!
//! An upload is made of a file, of memory, or of a stream of the program's. Nothing is sent yet.
//!
//! @param client     the server to upload to; may be freed before the upload
//! @param path       the file; a name that is not UTF-8 needs a resup_upload_set_name before a run
//! @param name       the file name for the server
//! @param user_data  the program's own, given to the functions of a stream; may be NULL
//! @param out        where the upload goes on success; resup_upload_free frees it
//! @return #RESUP_OK; for a file #RESUP_E_SOURCE_NOT_FOUND, #RESUP_E_SOURCE_DENIED,
//!         #RESUP_E_SOURCE_NOT_A_FILE, #RESUP_E_SOURCE_IO; #RESUP_E_ARGUMENT for a name that cannot
//!         be one; #RESUP_E_SYSTEM when there is no memory for the copy; #RESUP_E_NULL, for a
//!         missing function too; #RESUP_E_UTF8 or a handle's error. After a failure,
//!         resup_client_error_message tells more.
//!
//! Threads: any. Callbacks: none.

use std::ffi::{c_char, c_void};
use std::io::{self, Read};
use std::sync::TryLockError;

use super::internal::boundary::{enter, Fault};
use super::internal::callback::UserData;
use super::internal::clients::client_of;
use super::internal::entry::{Entry, UPLOADS};
use super::internal::float::in_program_state;
use super::internal::text::{native_path, text, utf16_path};
use super::status::{RESUP_E_BUSY, RESUP_E_NULL, RESUP_E_SYSTEM, RESUP_OK};
use super::types::{resup_client, resup_destroy_callback, resup_status, resup_upload};
use crate::api::client::Client;
use crate::api::upload::Upload;
use crate::source::ProgramStream;

/// Does what all constructors do around the making of their upload.
fn make(
    client: *mut resup_client,
    out: *mut *mut resup_upload,
    body: impl FnOnce(&Client) -> Result<Upload, Fault>,
) -> resup_status {
    enter(client as usize, || {
        let client = client_of(client)?;
        if out.is_null() {
            return Err(Fault::new(RESUP_E_NULL, "the place for the upload is NULL"));
        }
        let upload = body(&client)?;
        let handle = UPLOADS.insert(Entry::new(upload));
        // SAFETY: not NULL, and the header demands a writable place.
        unsafe { *out = handle as *mut resup_upload };
        Ok(RESUP_OK)
    })
}

/// Makes an upload of a file, under the file's own name. The file is not kept open.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_file(
    client: *mut resup_client,
    path: *const c_char,
    out: *mut *mut resup_upload,
) -> resup_status {
    make(client, out, |client| {
        // SAFETY: the header demands a C string or NULL.
        let path = unsafe { native_path("path", path) }?;
        Ok(Upload::from_file(client, path)?)
    })
}

/// As resup_upload_new_file, with a path in UTF-16.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_file_utf16(
    client: *mut resup_client,
    path: *const u16,
    out: *mut *mut resup_upload,
) -> resup_status {
    make(client, out, |client| {
        // SAFETY: the header demands 0-terminated UTF-16 or NULL.
        let path = unsafe { utf16_path("path", path) }?;
        Ok(Upload::from_file(client, path)?)
    })
}

/// Makes an upload of bytes in memory. Its digest is computed before it is sent, since nothing else
/// tells two versions of it apart.
///
/// @param data  the bytes; copied; may be NULL when there are none
/// @param size  how many
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_memory(
    client: *mut resup_client,
    data: *const c_void,
    size: usize,
    name: *const c_char,
    out: *mut *mut resup_upload,
) -> resup_status {
    make(client, out, |client| {
        // SAFETY: the header demands a C string or NULL.
        let name = unsafe { text("name", name) }?;
        let mut bytes = Vec::new();
        if size > 0 {
            if data.is_null() {
                return Err(Fault::new(RESUP_E_NULL, "the data is NULL"));
            }
            // Fails for sizes that no slice can have, too.
            bytes.try_reserve_exact(size).map_err(|_| {
                let why = format!("no memory for a copy of {size} bytes; upload a file instead");
                Fault::new(RESUP_E_SYSTEM, why)
            })?;
            // SAFETY: not NULL, the header demands `size` readable bytes, and they are no more
            // than an allocation can have.
            let data = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) };
            bytes.extend_from_slice(data);
        }
        Ok(Upload::from_memory(client, bytes, name)?)
    })
}

/// Reads from where the last read ended, or the last seek went.
///
/// @param buffer  where the bytes go
/// @param size    the most bytes to put there; more than 0
/// @param read    where the number of bytes put there goes: at least 1, or 0 at the end
/// @return 0, or any code of the program's own for a failure: the upload ends with
///         #RESUP_E_SOURCE_IO, and the message has the code
pub type resup_read_callback = Option<
    unsafe extern "C" fn(
        buffer: *mut c_void,
        size: usize,
        read: *mut usize,
        user_data: *mut c_void,
    ) -> i32,
>;

/// Sets where the next read begins.
///
/// @param offset  bytes from the start; never more than the size
/// @return as for resup_read_callback
pub type resup_seek_callback =
    Option<unsafe extern "C" fn(offset: u64, user_data: *mut c_void) -> i32>;

/// Tells how many bytes there are in the whole. The next read comes after a seek.
///
/// @param size  where the number goes
/// @return as for resup_read_callback
pub type resup_size_callback =
    Option<unsafe extern "C" fn(size: *mut u64, user_data: *mut c_void) -> i32>;

/// Makes an upload of what the program's own functions read: a file in an archive, a database's
/// blob, a stream of another language.
///
/// The functions are called only from within resup_upload_run and resup_upload_wait, on the thread
/// that called these; so after resup_upload_start the upload goes on only while the program waits,
/// and is cancelled within 100 ms only if they return by then. What they read must stay the same
/// during a run; other bytes are noticed (#RESUP_E_SOURCE_CHANGED). It is read twice, first for its
/// digest, since nothing else tells two versions of it apart.
///
/// Without seek and size it is read once, from its start to its end, as a pipe is: its size is
/// #RESUP_SIZE_UNKNOWN until then. The server has to speak tus with creation-defer-length, or the
/// IETF's protocol; a run is refused else (#RESUP_E_ARGUMENT). What the server has not confirmed is
/// kept: a segment, of 8 MiB at most. So it goes on after a lost connection, and in another run with
/// the same settings, but never anew: a server that has lost more ends it (#RESUP_E_SOURCE_IO).
///
/// @param read     reads; a failure takes no bytes, and another run reads again
/// @param seek     sets where the next read begins; NULL only if size is NULL, too
/// @param size     tells the size; NULL only if seek is NULL, too
/// @param destroy  releases user_data, at the latest in resup_upload_free; at once when this
///                 function fails. May be NULL.
///
/// Threads: any. Callbacks: on failure destroy, else none.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_new_stream(
    client: *mut resup_client,
    name: *const c_char,
    read: resup_read_callback,
    seek: resup_seek_callback,
    size: resup_size_callback,
    user_data: *mut c_void,
    destroy: resup_destroy_callback,
    out: *mut *mut resup_upload,
) -> resup_status {
    let data = UserData::new(user_data, destroy);
    make(client, out, move |client| {
        // SAFETY: the header demands a C string or NULL.
        let name = unsafe { text("name", name) }?;
        let read = Reading {
            read: needed("read", read)?,
            data,
        };
        if seek.is_none() && size.is_none() {
            return Ok(Upload::from_reader(client, read, name)?);
        }
        let stream = Functions {
            read,
            seek: needed("seek", seek)?,
            size: needed("size", size)?,
        };
        Ok(Upload::from_program_stream(client, Box::new(stream), name)?)
    })
}

/// Frees an upload. One that runs after resup_upload_start is cancelled, and no callback is
/// called for that; what the server has is kept there.
///
/// @param upload  an upload, or NULL, which does nothing
/// @return #RESUP_OK; #RESUP_E_BUSY while another thread, or a callback of this upload, is inside a
///         call on it; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND. After an error
///         nothing has changed.
///
/// Threads: any. Callbacks: the destroy functions of the registered callbacks.
#[no_mangle]
pub unsafe extern "C" fn resup_upload_free(upload: *mut resup_upload) -> resup_status {
    enter(0, || {
        if upload.is_null() {
            return Ok(RESUP_OK);
        }
        let entry = UPLOADS.get(upload as usize)?;
        let taken = match entry.upload.try_lock() {
            Ok(mut guard) => guard.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => {
                let why = "the upload is inside a call; cancel it and wait, then free it";
                return Err(Fault::new(RESUP_E_BUSY, why));
            }
        };
        let removed = UPLOADS.remove(upload as usize);
        // Here, with no lock held: the program's destroy functions may call the library.
        drop(taken);
        removed.map(|_| RESUP_OK)
    })
}

/// The functions of a program, as a stream.
struct Functions {
    read: Reading,
    seek: unsafe extern "C" fn(u64, *mut c_void) -> i32,
    size: unsafe extern "C" fn(*mut u64, *mut c_void) -> i32,
}

/// The function of a program that reads.
struct Reading {
    read: unsafe extern "C" fn(*mut c_void, usize, *mut usize, *mut c_void) -> i32,
    data: UserData,
}

fn checked(name: &str, answer: i32) -> io::Result<()> {
    match answer {
        0 => Ok(()),
        code => Err(io::Error::other(format!(
            "the {name} function answered {code}"
        ))),
    }
}

impl ProgramStream for Functions {
    fn size(&mut self) -> io::Result<u64> {
        let mut size = 0;
        // SAFETY: the program registered this function with this data for these arguments.
        let answer =
            in_program_state(|| unsafe { (self.size)(&mut size, self.read.data.pointer()) });
        checked("size", answer)?;
        Ok(size)
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        // SAFETY: the program registered this function with this data for these arguments.
        let answer = in_program_state(|| unsafe { (self.seek)(offset, self.read.data.pointer()) });
        checked("seek", answer)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.read.read(buf)
    }
}

impl Read for Reading {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        let (buffer, size) = (buf.as_mut_ptr().cast(), buf.len());
        // SAFETY: the program registered this function with this data for these arguments; it
        // writes no more than `size` bytes, which the header demands.
        let answer = in_program_state(|| unsafe {
            (self.read)(buffer, size, &mut read, self.data.pointer())
        });
        checked("read", answer)?;
        Ok(read)
    }
}

fn needed<F>(name: &str, function: Option<F>) -> Result<F, Fault> {
    function.ok_or_else(|| {
        let why = format!(
            "the {name} function is NULL; an upload needs read, seek and size, to go back after a \
             lost connection: copy what cannot go back into a file or memory first, or leave out both \
             seek and size, and it is read once"
        );
        Fault::new(RESUP_E_NULL, why)
    })
}
