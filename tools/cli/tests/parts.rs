//! Presigned parts on the command line.

mod common;

use std::fs;

use common::{exit_and_last_line, make_file, put, stderr_text};
use resup_test_support::digests::hex_of;
use resup_test_support::scripted::{reply, reply_with, Read, ScriptedServer, Step};

const MADE: &str = "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>";

fn stored(bytes: &[u8]) -> Step {
    let etag = format!("\"{}\"", hex_of("md5", bytes));
    let response = reply_with(200, &[("ETag", &etag)], "");
    Step::new().read(Read::All).write(response)
}

fn urls(server: &ScriptedServer, secret: &str) -> String {
    let at = format!("http://{}/k?uploadId=up&s={secret}", server.addr());
    format!(
        "{{\"part_size\": 60, \"parts\": [\"{at}&partNumber=1\", \"{at}&partNumber=2\"], \"complete\": \"{at}\"}}"
    )
}

#[test]
fn a_file_goes_to_its_urls_and_on_with_new_ones() {
    let expired = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f.bin", 100);
    let content = fs::read(&file).unwrap();
    let server = ScriptedServer::start(vec![
        stored(&content[..60]),
        Step::new().read(Read::All).write(reply(403, expired)),
        stored(&content[60..]),
        Step::new().read(Read::All).write(reply(200, MADE)),
    ]);
    let parts = dir.path().join("parts.json");
    let run = |secret: &str| {
        fs::write(&parts, urls(&server, secret)).unwrap();
        let mut command = put();
        command.env("XDG_STATE_HOME", dir.path());
        command.arg("-vv").arg("--parts").arg(&parts).arg(&file);
        command.output().unwrap()
    };
    let output = run("s3cret");
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("the URLs have expired"), "{text}");
    let again = run("s3cret-2");
    let more = stderr_text(&again);
    assert!(again.status.success(), "{more}");
    assert!(
        !text.contains("s3cret") && !more.contains("s3cret"),
        "{text}{more}"
    );
    let requests = server.requests();
    let lengths: Vec<_> = requests
        .iter()
        .map(|it| (it.head.method.as_str(), it.body_len))
        .collect();
    assert_eq!(lengths[..3], [("PUT", 60), ("PUT", 40), ("PUT", 40)]);
    assert_eq!(lengths[3].0, "POST");
}

#[test]
fn a_command_line_that_does_not_fit_the_parts_is_a_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f.bin", 100);
    let (file, parts) = (file.to_str().unwrap(), dir.path().join("parts.json"));
    let server = ScriptedServer::start(vec![Step::new()]);
    fs::write(&parts, urls(&server, "s")).unwrap();
    let parts = parts.to_str().unwrap();
    for (arguments, due) in [
        (
            &["--parts", parts, file, file][..],
            "give one FILE, and no URL",
        ),
        (
            &["--parts", parts, file, "http://127.0.0.1:1/"],
            "give one FILE, and no URL",
        ),
        (
            &["--parts", parts, "http://127.0.0.1:1/"],
            "takes the place of the URL",
        ),
        (
            &["--parts", parts, "--protocol", "tus", file],
            "cannot be used with",
        ),
        (
            &["--parts", parts, "--digest", "md5", file],
            "presigned parts (--parts)",
        ),
        (&["--parts", file, file], "invalid value"),
        (&["--parts", "/nowhere/parts", file], "it cannot be read"),
    ] {
        let output = put().args(arguments).output().unwrap();
        let (exit, _) = exit_and_last_line(&output);
        let text = stderr_text(&output);
        assert_eq!(exit, 2, "{arguments:?}: {text}");
        assert!(text.contains(due), "{arguments:?}: {text}");
    }
    assert_eq!(server.connections(), 0);
}
