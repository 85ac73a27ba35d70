//! Uploads of what a program's own functions give.

use std::ffi::{c_char, c_void};
use std::io;

use super::boundary::Fault;
use super::callback::{
    resup_destroy_callback, resup_read_callback, resup_seek_callback, resup_size_callback, UserData,
};
use super::client::resup_client;
use super::float::hosts;
use super::status::{resup_status, RESUP_E_NULL};
use super::text::text;
use super::upload::{make, resup_upload};
use crate::api::upload::Upload;
use crate::source::ProgramStream;

/// The functions of a host, as a reader.
struct Functions {
    read: unsafe extern "C" fn(*mut c_void, usize, *mut usize, *mut c_void) -> i32,
    seek: unsafe extern "C" fn(u64, *mut c_void) -> i32,
    size: unsafe extern "C" fn(*mut u64, *mut c_void) -> i32,
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
        // SAFETY: the host registered this function with this data for these arguments.
        let answer = hosts(|| unsafe { (self.size)(&mut size, self.data.pointer()) });
        checked("size", answer)?;
        Ok(size)
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        // SAFETY: the host registered this function with this data for these arguments.
        let answer = hosts(|| unsafe { (self.seek)(offset, self.data.pointer()) });
        checked("seek", answer)
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut read = 0;
        let (buffer, size) = (buf.as_mut_ptr().cast(), buf.len());
        // SAFETY: the host registered this function with this data for these arguments; it
        // writes no more than `size` bytes, which the header demands.
        let answer = hosts(|| unsafe { (self.read)(buffer, size, &mut read, self.data.pointer()) });
        checked("read", answer)?;
        Ok(read)
    }
}

/// Makes an upload of what the program's own functions give: a file in an archive, a database's
/// blob, a stream of another language.
///
/// The functions are called only from within resup_upload_run and resup_upload_wait, on the thread
/// that called these; so after resup_upload_start the upload goes on only while the program waits,
/// and is cancelled within 100 ms only if they return by then. All three are needed: after a break the
/// upload goes back to where the server is. What they give must stay the same during a run; other
/// bytes are noticed (#RESUP_E_SOURCE_CHANGED). It is read twice, first for its MD5, since nothing
/// else tells two versions of it apart.
///
/// @param client     the server to upload to; may be freed before the upload
/// @param name       the file name for the server, UTF-8; copied
/// @param read       reads
/// @param seek       sets where the next read begins
/// @param size       tells the size
/// @param user_data  handed to the functions; may be NULL
/// @param destroy    called once when the library lets go of user_data, at the latest in
///                   resup_upload_free; may be NULL. When this function fails, it is called at
///                   once.
/// @param out        where the upload goes on success; to be freed with resup_upload_free
/// @return #RESUP_OK, #RESUP_E_ARGUMENT for a name that cannot be one, #RESUP_E_NULL for a missing
///         function too, #RESUP_E_UTF8 or a handle's error. After a failure,
///         resup_client_error_message tells more.
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
        let stream = Functions {
            read: needed("read", read)?,
            seek: needed("seek", seek)?,
            size: needed("size", size)?,
            data,
        };
        Ok(Upload::from_program_stream(client, Box::new(stream), name)?)
    })
}

fn needed<F>(name: &str, function: Option<F>) -> Result<F, Fault> {
    function.ok_or_else(|| {
        let why = format!(
            "the {name} function is NULL; an upload needs read, seek and size, to go back after a \
             break: copy what cannot go back into a file or memory first"
        );
        Fault::new(RESUP_E_NULL, why)
    })
}
