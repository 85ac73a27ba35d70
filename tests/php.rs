//! Uploads to `examples/receivers/php`, which sees a body only when it is whole.

use std::time::Duration;

use resup::{Client, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::form_table::{check, post, Reader};
use resup_test_support::php::Php;
use resup_test_support::php_fpm::{PhpFpm, Settings};
use resup_test_support::small_disk::SmallDisk;

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

/// Makes a database of a version of the receiver that knew no SHA-256 of files, with half of an upload.
const OLD_DATA: &str = r#"php -r '
    $data = getenv("RESUP_DATA");
    mkdir("$data/files");
    $db = new PDO("sqlite:$data/uploads.db");
    $db->exec("CREATE TABLE uploads (id TEXT PRIMARY KEY, owner TEXT NOT NULL, dir TEXT NOT NULL, name TEXT NOT NULL,
        size INTEGER NOT NULL, mtime TEXT NOT NULL, md5 TEXT NOT NULL, state TEXT NOT NULL, held INTEGER NOT NULL,
        held_md5 TEXT NOT NULL, midstate TEXT NOT NULL, UNIQUE (owner, dir, name, size, md5, mtime))");
    $db->exec("CREATE INDEX uploads_by_content ON uploads (held_md5, size)");
    $bytes = str_repeat("old bytes ", 100);
    $digests = [hash_init("md5"), hash_init("sha256")];
    array_map(fn ($digest) => hash_update($digest, $bytes), $digests);
    $db->prepare("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")->execute(["7", "", "", "old", 2000,
        "5", "", "partial", 1000, md5($bytes), base64_encode(serialize($digests))]);
    file_put_contents("$data/files/7", $bytes);
';"#;

#[test]
fn an_upload_of_an_older_version_goes_on_with_another_digest() {
    let Some(php) = Php::start_with(OLD_DATA, &["display_errors=0"]) else {
        return;
    };
    let kind = "application/x-www-form-urlencoded";
    let form = b"action=locate&name=old&size=2000&mtime=5&digests=sha256&prefix=1";
    let (status, answer) = post(php.addr(), "/upload.php", kind, form);
    let sha256 = "d91fb539fda64a93a25ac4d91b7e059d94d99f052c2eaf11fa841b36d843d24e";
    for member in [
        r#""id":"7""#.to_owned(),
        r#""offset":1000"#.to_owned(),
        format!(r#""prefix_sha256":"{sha256}""#),
    ] {
        assert!(answer.contains(&member), "{status} {answer}");
    }
}

#[test]
fn a_restart_of_a_finished_upload_forgets_what_clients_said_of_it() {
    let Some(php) = Php::start() else {
        return;
    };
    let fields = "name=a&size=1&mtime=1";
    let kind = "application/x-www-form-urlencoded";
    // The MD5s of "a" and "b".
    let a = "0cc175b9c0f1b6a831c399e269772661";
    let b = "92eb5ffee6ae2fec3ad71c777531578f";
    let form = format!("action=locate&{fields}&md5={a}");
    let (_, answer) = post(php.addr(), "/upload.php", kind, form.as_bytes());
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let id = answer["id"].as_str().unwrap();
    let send = |bytes: &str, md5: &str, restart: &str| {
        let fields = format!("action=send&id={id}&{fields}&offset=0&length=1&restart={restart}");
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let mut form: String = fields
            .split('&')
            .filter_map(|field| field.split_once('='))
            .map(|(name, value)| part(name, value))
            .collect();
        form += &part("file", bytes).replace("\"file\"", "\"file\"; filename=\"a\"");
        form += &part("md5", md5);
        form += "--x--\r\n";
        let kind = "multipart/form-data; boundary=x";
        post(php.addr(), "/upload.php", kind, form.as_bytes())
    };
    for (bytes, md5, restart) in [("a", a, ""), ("b", b, a)] {
        let (status, answer) = send(bytes, md5, restart);
        let right = status == 200 && answer.contains("complete");
        assert!(right, "{bytes}: {status} {answer}");
    }
}

/// Asks for a file, and returns the status and the body of the response.
fn locate(php: &Php) -> (u16, String) {
    let kind = "application/x-www-form-urlencoded";
    let form = b"action=locate&name=a&size=3000000&mtime=1";
    post(php.addr(), "/upload.php", kind, form)
}

/// Uploads 1.5 MB, and returns the error.
fn failure(php: &Php) -> resup::Error {
    let client = Client::new(&format!("http://{}/upload.php", php.addr())).unwrap();
    client.set_retry_limit(0);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    files::make(&file, 1_500_000, 1).unwrap();
    let mut upload = Upload::from_file(&client, &file).unwrap();
    upload.run().unwrap_err()
}

#[test]
fn settings_that_allow_no_upload_are_named_in_the_first_response() {
    for (setting, named) in [
        ("file_uploads=0", "file_uploads = On"),
        ("max_file_uploads=0", "max_file_uploads = 20"),
        ("upload_max_filesize=999", "upload_max_filesize"),
        ("post_max_size=1K", "post_max_size"),
        ("display_errors=1", "display_errors = Off"),
    ] {
        let settings = ["display_errors=0", "output_buffering=0", setting];
        let Some(php) = Php::start_with("", &settings) else {
            return;
        };
        let (status, answer) = locate(&php);
        assert!(
            status == 500 && answer.contains(named),
            "{setting}: {answer}"
        );
    }
}

#[test]
fn a_segment_has_the_size_that_php_takes() {
    for (post_max, file_max, most) in [
        ("60000", "2M", 30_000),
        ("65536", "2M", 32_768),
        ("8M", "2M", 2 << 20),
        ("1m", "2M", (1 << 20) - 65_536),
        ("0", "2G", 2 << 30),
        ("-1", "0", i64::MAX - 65_536),
    ] {
        let post_max = format!("post_max_size={post_max}");
        let file_max = format!("upload_max_filesize={file_max}");
        let Some(php) = Php::start_with("", &["display_errors=0", &post_max, &file_max]) else {
            return;
        };
        let (status, answer) = locate(&php);
        let expected = format!("\"max_segment\":{most},");
        let right = status == 200 && (answer + ",").replace('}', "").contains(&expected);
        assert!(right, "{post_max} {file_max}: {status}");
    }
}

#[test]
fn php_without_a_temporary_directory_says_so() {
    let missing = ["upload_tmp_dir=/nonexistent", "sys_temp_dir=/nonexistent"];
    let settings = [&["display_errors=0"], &missing[..]].concat();
    if let Some(php) = Php::start_with("", &settings) {
        let error = failure(&php).to_string();
        assert!(
            error.contains("500") && error.contains("upload_tmp_dir"),
            "{error}"
        );
    }
}

#[test]
fn php_without_room_for_a_segment_says_so() {
    // A write past 512 kB fails, as on a full disk.
    let before = "trap '' XFSZ; ulimit -f 1000;";
    if let Some(php) = Php::start_with(before, &["display_errors=0"]) {
        let error = failure(&php).to_string();
        assert!(
            error.contains("507") && error.contains("no room"),
            "{error}"
        );
    }
}

#[test]
fn a_full_disk_is_told_as_such() {
    let Some(php) = Php::start() else {
        return;
    };
    let files = php.stored_file("");
    let data = files.ancestors().nth(1).unwrap();
    if let Some(disk) = SmallDisk::mount(data) {
        disk.check(php.addr(), "/upload.php");
    }
}

#[test]
fn a_warning_of_php_does_not_replace_the_status() {
    let settings = [
        "display_errors=1",
        "output_buffering=4096",
        "post_max_size=100000",
    ];
    if let Some(php) = Php::start_with("", &settings) {
        let kind = "multipart/form-data; boundary=XX";
        let (status, answer) = post(php.addr(), "/upload.php", kind, &[b'-'; 200_000]);
        assert_eq!(status, 413, "{answer}");
        assert!(answer.starts_with('{'), "{answer}");
    }
}

/// Uploads a file through PHP-FPM behind nginx, and returns the number of attempts.
fn attempts_behind_nginx(settings: &Settings, size: u64) -> Option<u32> {
    let php = PhpFpm::start(settings)?;
    let client = Client::new(&format!("http://{}/upload.php", php.addr())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("文件.bin");
    files::make(&file, size, 3).unwrap();
    let mut upload = Upload::from_file(&client, &file).unwrap();
    upload.run().unwrap();
    let remote = upload.remote();
    files::assert_same(&file, &php.stored_file(&remote.id().unwrap()));
    let now = remote.snapshot();
    assert_eq!(now.bytes_sent, size);
    Some(now.attempts)
}

#[test]
fn php_fpm_behind_nginx_takes_what_its_limits_allow() {
    // nginx takes bodies of 1 MB, PHP files of 2 MiB: the client halves its segments twice.
    if let Some(attempts) = attempts_behind_nginx(&Settings::default(), 5_500_000) {
        assert_eq!(attempts, 1 + 2);
    }
    // With the documented settings one send is enough.
    if let Some(attempts) = attempts_behind_nginx(&Settings::documented(), 20_000_000) {
        assert_eq!(attempts, 1);
    }
}
