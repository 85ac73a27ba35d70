//! Which version of the library this is.

use std::ffi::c_char;

/// Major version of this header.
pub const RESUP_VERSION_MAJOR: u32 = 0;
/// Minor version of this header. With each one the ABI may change until 1.0.
pub const RESUP_VERSION_MINOR: u32 = 1;
/// Patch version of this header.
pub const RESUP_VERSION_PATCH: u32 = 0;
/// This header's version as one number: major * 1000000 + minor * 1000 + patch.
pub const RESUP_VERSION_NUMBER: u32 = 1000;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The version of the library that is loaded, for example "0.1.0".
///
/// @return a static text
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub extern "C" fn resup_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// The version of the library that is loaded, as #RESUP_VERSION_NUMBER has it for the header
/// that the program was compiled with.
///
/// Threads: any. Callbacks: none.
#[no_mangle]
pub extern "C" fn resup_version_number() -> u32 {
    RESUP_VERSION_NUMBER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_versions_are_one() {
        let (major, minor, patch) = (
            RESUP_VERSION_MAJOR,
            RESUP_VERSION_MINOR,
            RESUP_VERSION_PATCH,
        );
        assert_eq!(format!("{major}.{minor}.{patch}\0"), VERSION);
        let number = major * 1_000_000 + minor * 1000 + patch;
        assert_eq!(RESUP_VERSION_NUMBER, number);
        assert_eq!(resup_version_number(), number);
    }
}
