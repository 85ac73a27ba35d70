//! What only a defect of the library could show from outside.

use std::ffi::{CStr, CString};
use std::ptr;

use super::internal::entry::with_upload;
use super::*;

fn message(text: *const std::ffi::c_char) -> String {
    // SAFETY: the functions give C strings or NULL, and nothing is called in between.
    unsafe { CStr::from_ptr(text) }.to_str().unwrap().to_owned()
}

#[test]
fn a_panic_is_caught_and_poisons_its_handle_and_no_other() {
    let url = CString::new("http://127.0.0.1:9/up").unwrap();
    let name = c"n".as_ptr();
    let mut client = ptr::null_mut();
    let mut uploads = [ptr::null_mut(); 2];
    // SAFETY: all pointers are good for the calls.
    unsafe {
        assert_eq!(resup_client_new(url.as_ptr(), &mut client), RESUP_OK);
        for upload in &mut uploads {
            let made = resup_upload_new_memory(client, ptr::null(), 0, name, upload);
            assert_eq!(made, RESUP_OK);
        }
        let [broken, whole] = uploads;
        assert_eq!(
            with_upload(broken, |_| panic!("on purpose")),
            RESUP_E_INTERNAL
        );
        assert!(message(resup_upload_error_message(broken)).contains("on purpose"));
        assert_eq!(resup_upload_set_name(broken, name), RESUP_E_INTERNAL);
        assert_eq!(resup_upload_run(broken), RESUP_E_INTERNAL);
        assert_eq!(resup_upload_state(broken), RESUP_STATE_READY);
        assert_eq!(resup_upload_set_name(whole, name), RESUP_OK);
        assert_eq!(resup_upload_free(broken), RESUP_OK);
        assert_eq!(resup_upload_free(whole), RESUP_OK);
        assert_eq!(resup_client_free(client), RESUP_OK);
    }
}
