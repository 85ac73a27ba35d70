//! The library stays loaded: its threads may be alive when the program unloads it. So does the Java
//! binding's, which has all of this in it.
//!
//! (Elsewhere the linker is told so, in `build.rs`.)

/// Keeps the library loaded, whatever FreeLibrary the program calls.
#[cfg(windows)]
pub fn stay_loaded() {
    use std::ffi::c_void;
    use std::sync::Once;

    const PIN: u32 = 1;
    const FROM_ADDRESS: u32 = 4;
    #[link(name = "kernel32")]
    extern "system" {
        fn GetModuleHandleExW(flags: u32, place: *const c_void, module: *mut *mut c_void) -> i32;
    }
    static PINNED: Once = Once::new();
    static PLACE: u8 = 0;
    PINNED.call_once(|| {
        let mut module = std::ptr::null_mut();
        // SAFETY: the address is one in this module, and the handle goes to a place of its own. A
        // failure leaves things as they were.
        unsafe {
            GetModuleHandleExW(PIN | FROM_ADDRESS, (&raw const PLACE).cast(), &mut module);
        }
    });
}

/// Does nothing: the linker's flag does it.
#[cfg(not(windows))]
pub fn stay_loaded() {}
