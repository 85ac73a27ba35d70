//! Uploads to `examples/receivers/php`, which sees a body only when it is whole.

use std::time::Duration;

use resup::{Client, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::form_table::{check, Reader};
use resup_test_support::php::Php;

#[test]
fn a_lost_connection_costs_one_segment_of_the_size_that_php_takes() {
    let Some(php) = Php::start() else {
        return;
    };
    let mut left = 4;
    let faults = move |_: u64, _: &mut fastrand::Rng| {
        let cut = left > 0;
        left -= u32::from(cut);
        Faults {
            cut_up_after: cut.then_some(3_500_000),
            ..Faults::default()
        }
    };
    let proxy = ChaosProxy::start(php.addr(), faults, 0);
    let client = Client::new(&format!("http://{}/upload.php", proxy.addr())).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 40).unwrap();
    client.set_retry_limit(20);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("文件.bin");
    files::make(&file, 20_000_000, 9).unwrap();
    let mut upload = Upload::from_file(&client, &file).unwrap();
    upload.run().unwrap();
    let remote = upload.remote();
    files::assert_same(&file, &php.stored_file(&remote.id().unwrap()));
    let now = remote.snapshot();
    assert!(now.bytes_sent <= 20_000_000 + 4 * (2 << 20), "{now:?}");
}

#[test]
fn forms_are_taken_or_refused_as_the_table_says() {
    if let Some(php) = Php::start() {
        check(php.addr(), "/upload.php", Reader::Php);
    }
}
