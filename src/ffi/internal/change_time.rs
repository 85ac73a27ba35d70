//! The change time of a file on Windows, for which Rust's standard library has no stable call.

/// Lets the library ask Windows for the change times of files.
#[cfg(windows)]
pub(crate) fn know_change_times() {
    crate::source::set_change_time(change_time);
}

/// Does nothing: elsewhere the change time is in a file's metadata.
#[cfg(not(windows))]
pub(crate) fn know_change_times() {}

/// Gives the change time of an open file, in nanoseconds since 1970; `None` where its file system has
/// none.
#[cfg(windows)]
fn change_time(file: &std::fs::File) -> Option<i128> {
    use std::ffi::c_void;
    use std::os::windows::io::AsRawHandle;

    /// `FILE_BASIC_INFO`. Its times are in units of 100 ns since 1601.
    #[repr(C)]
    #[derive(Default)]
    struct BasicInfo {
        creation: i64,
        access: i64,
        write: i64,
        change: i64,
        attributes: u32,
    }
    const BASIC_INFO: i32 = 0;
    /// 1970, in such units.
    const EPOCH: i128 = 116_444_736_000_000_000;
    #[link(name = "kernel32")]
    extern "system" {
        fn GetFileInformationByHandleEx(
            file: *mut c_void,
            class: i32,
            info: *mut BasicInfo,
            size: u32,
        ) -> i32;
    }
    let mut info = BasicInfo::default();
    // SAFETY: the handle is that of an open file. The class is that of the structure, which has the
    // layout of Windows' own and the size that is given.
    let found = unsafe {
        let size = size_of::<BasicInfo>() as u32;
        GetFileInformationByHandleEx(file.as_raw_handle(), BASIC_INFO, &mut info, size)
    };
    (found != 0 && info.change != 0).then(|| (i128::from(info.change) - EPOCH) * 100)
}
