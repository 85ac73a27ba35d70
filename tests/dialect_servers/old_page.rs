//! A page in JSP as people wrote it in 2006, which takes chunks by their position: commons-fileupload, parameters in the address,
//! GBK, and status 200 for everything.

use std::time::Duration;

use resup::{Client, Error, Upload};
use resup_test_support::files;
use resup_test_support::forms::{FormApp, Kind};
use resup_test_support::http_proxy::{Fault, HttpProxy};

use crate::{on, steps};

const NAME: &str = "年度报告.doc";
/// Some chunks of 1 MiB.
const SIZE: u64 = 3_500_000;

/// Makes an upload of so many bytes by way of a proxy.
fn upload(
    server: &FormApp,
    proxy: &HttpProxy,
    dialect: &str,
    size: u64,
) -> (tempfile::TempDir, Upload) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(NAME);
    files::make(&path, size, size).unwrap();
    let client = Client::new(&server.endpoint_at(proxy.addr())).unwrap();
    client.set_dialect(dialect).unwrap();
    let short = Duration::from_millis(20);
    client.set_retry_backoff(short, short * 8).unwrap();
    let upload = Upload::from_file(&client, path).unwrap();
    (dir, upload)
}

#[test]
fn the_guides_steps_bring_files_under_their_names() {
    let Some(server) = FormApp::start(Kind::JspChunks) else {
        return;
    };
    let endpoint = server.endpoint_at(server.addr());
    let section = "A page that takes chunks";
    if let Some(steps) = steps::take("old-pages.md", section, &endpoint) {
        for file in &steps.files {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(name.ends_with(NAME));
            files::assert_same(file, &server.stored_file(name));
        }
    }
}

#[test]
fn files_of_every_size_arrive_whatever_breaks() {
    let Some(server) = FormApp::start(Kind::JspChunks) else {
        return;
    };
    let faults = [
        Fault::None,
        Fault::LoseResponse,
        Fault::CutBody(0),
        Fault::CutBody(500_000),
    ];
    for (size, fault) in [0, 1, 1 << 20, SIZE]
        .into_iter()
        .flat_map(|size| faults.map(|it| (size, it)))
    {
        let last = size.div_ceil(1 << 20).max(1);
        for number in [1, last] {
            let proxy = HttpProxy::start(server.addr(), on(number, fault));
            let (dir, mut upload) = upload(&server, &proxy, &server.dialect(), size);
            let what = format!("{size} bytes, {fault:?} of {number}");
            upload.run().unwrap_or_else(|e| panic!("{what}: {e}"));
            files::assert_same(&dir.path().join(NAME), &server.stored_file(NAME));
            let sent = upload.remote().snapshot().bytes_sent;
            assert!(sent <= size + (2 << 20), "{what}: {sent} bytes were sent");
        }
    }
}

#[test]
fn what_the_page_says_can_be_read() {
    let Some(server) = FormApp::start(Kind::JspChunks) else {
        return;
    };
    let proxy = HttpProxy::start(server.addr(), |_, _| Fault::None);
    // A dialect that is wrong about the position.
    let wrong = server.dialect().replace("{offset}", "{number}");
    let (_dir, mut upload) = upload(&server, &proxy, &wrong, SIZE);
    let told = upload.run().unwrap_err().to_string();
    assert!(told.contains("位置不对: 年度报告.doc length=0"), "{told}");
    assert_eq!(proxy.exchanges().len(), 1);
}

#[test]
fn another_run_goes_on_from_the_length_that_the_page_answers() {
    let Some(server) = FormApp::start(Kind::JspChunks) else {
        return;
    };
    let proxy = HttpProxy::start(server.addr(), |_, _| Fault::None);
    let (dir, mut first) = upload(&server, &proxy, &server.dialect(), SIZE);
    let state = dir.path().join("state");
    first.set_state_file(&state).unwrap();
    let remote = first.remote();
    remote.set_rate_limit(1_000_000);
    first.start().unwrap();
    while remote.snapshot().offset < 1 << 20 {
        assert!(first.wait(Duration::from_millis(1)).is_none());
    }
    remote.cancel();
    let end = first.wait(Duration::from_secs(60));
    assert_eq!(end, Some(Err(Error::Cancelled)));
    let had = remote.snapshot().offset;
    let client = Client::new(&server.endpoint_at(proxy.addr())).unwrap();
    client.set_dialect(&server.dialect()).unwrap();
    let mut second = Upload::from_file(&client, dir.path().join(NAME)).unwrap();
    second.set_state_file(&state).unwrap();
    second.run().unwrap();
    files::assert_same(&dir.path().join(NAME), &server.stored_file(NAME));
    assert!(second.remote().snapshot().bytes_skipped >= had);
}
