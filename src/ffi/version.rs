//! Version
//!
//! Which version the header and the loaded library are.
//!
//! Threads: any. Callbacks: none.

use std::ffi::c_char;

/// The major version of this header.
pub const RESUP_VERSION_MAJOR: u32 = 0;
/// The minor version of this header. With each one the ABI may change until 1.0.
pub const RESUP_VERSION_MINOR: u32 = 1;
/// The patch version of this header.
pub const RESUP_VERSION_PATCH: u32 = 0;
/// This header's version as one number: major * 1000000 + minor * 1000 + patch.
pub const RESUP_VERSION_NUMBER: u32 = 1000;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// Returns the version of the library that is loaded, for example "0.1.0".
///
/// @return a static text
#[no_mangle]
pub extern "C" fn resup_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

/// Returns the loaded library's version as a number, as #RESUP_VERSION_NUMBER is the header's.
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
