//! The rules of the model receiver.

use super::model::{ask, locate, offset, send, send_with};
use crate::files::{bytes, md5_hex_of};
use crate::model::{ModelReceiver, Options};

const FIND: &str = "name=f&size=1000&mtime=1";

/// Starts a receiver that holds the first 400 bytes of a file of 1000.
fn start_with_400(options: Options) -> (ModelReceiver, Vec<u8>) {
    let receiver = ModelReceiver::with(options);
    let data = bytes(1000, 2);
    ask(receiver.addr(), &locate(FIND));
    let (status, body) = ask(receiver.addr(), &send("u1", &data, 0, 400));
    assert_eq!((status, offset(&body)), (200, 400));
    (receiver, data)
}

#[test]
fn the_prefix_digest_is_of_what_is_held() {
    let (receiver, data) = start_with_400(Options::default());
    let (_, body) = ask(receiver.addr(), &locate(FIND));
    assert!(body.contains(&md5_hex_of(&data[..400])), "{body}");
    assert!(receiver.damage("f", 10));
    let (_, body) = ask(receiver.addr(), &locate(FIND));
    assert!(!body.contains(&md5_hex_of(&data[..400])), "{body}");

    let (receiver, _) = start_with_400(Options {
        hide_prefix_md5: true,
        ..Options::default()
    });
    let (_, body) = ask(receiver.addr(), &locate(FIND));
    assert_eq!(body, r#"{"state":"partial","offset":400,"id":"u1"}"#);
}

#[test]
fn a_wrong_offset_is_409_and_an_unknown_id_404() {
    let (receiver, data) = start_with_400(Options::default());
    for from in [399, 401] {
        let (status, body) = ask(receiver.addr(), &send("u1", &data, from, 1000));
        assert_eq!((status, offset(&body)), (409, 400));
    }
    assert_eq!(receiver.stats().bytes_again, 1);
    assert_eq!(ask(receiver.addr(), &send("u9", &data, 0, 10)).0, 404);
    let past = send_with("u1", &[0; 700], 400, ("md5", "0"));
    assert_eq!(ask(receiver.addr(), &past).0, 400);
    receiver.forget();
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 400, 1000)).0, 404);
}

#[test]
fn the_response_to_a_refused_body_leaves_the_connection_usable() {
    let (receiver, data) = start_with_400(Options::default());
    let both = [send("u1", &data, 1, 1000), send("u1", &data, 400, 1000)].concat();
    let (status, body) = ask(receiver.addr(), &both);
    assert_eq!(status, 200);
    assert!(body.contains("complete"));
}

#[test]
fn offset_zero_is_an_offset_like_any_other_and_is_counted() {
    let (receiver, data) = start_with_400(Options::default());
    let (status, body) = ask(receiver.addr(), &send("u1", &data, 0, 1000));
    assert_eq!((status, offset(&body)), (409, 400));
    assert_eq!(receiver.stats().bytes_again, 400);
    assert_eq!(receiver.files(), []);
}

#[test]
fn a_wrong_digest_is_422_and_drops_what_is_not_proved() {
    let (receiver, data) = start_with_400(Options::default());
    for (to, field) in [(700, "prefix_md5"), (1000, "md5")] {
        let wrong = send_with("u1", &data[400..to], 400, (field, "00"));
        let (status, body) = ask(receiver.addr(), &wrong);
        assert_eq!((status, offset(&body)), (422, 400));
        assert!(body.contains(r#""error":"digest""#));
    }
    assert_eq!(receiver.files(), []);
    let (status, body) = ask(receiver.addr(), &send("u1", &data, 400, 1000));
    assert_eq!((status, offset(&body)), (200, 1000));
    assert_eq!(receiver.files()[0].1, data);
}

#[test]
fn all_bytes_without_a_proved_tail_stay_partial() {
    let (receiver, data) = start_with_400(Options::default());
    let missing = send_with("u1", &data[400..], 400, ("other", "x"));
    assert_eq!(ask(receiver.addr(), &missing).0, 400);
    let (_, body) = ask(receiver.addr(), &locate(FIND));
    assert!(body.starts_with(r#"{"state":"partial","offset":1000"#));
    let (_, body) = ask(receiver.addr(), &send("u1", &data, 1000, 1000));
    assert!(body.starts_with(r#"{"state":"complete","offset":1000"#));
    assert_eq!(receiver.files()[0].1, data);
    // A client that lost this response may ask again.
    let (status, body) = ask(receiver.addr(), &send("u1", &data, 1000, 1000));
    assert_eq!(status, 200);
    assert!(body.contains("complete"));
}

#[test]
fn limits_are_413() {
    let (receiver, data) = start_with_400(Options {
        max_segment: Some(400),
        ..Options::default()
    });
    let (_, body) = ask(receiver.addr(), &locate(FIND));
    assert!(body.contains(r#""max_segment":400"#));
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 400, 1000)).0, 413);
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 400, 800)).0, 200);
    assert_eq!(receiver.held("f"), Some(800));

    let (receiver, data) = start_with_400(Options {
        max_body: Some(1000),
        ..Options::default()
    });
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 400, 1000)).0, 413);
    assert_eq!(ask(receiver.addr(), &send("u1", &data, 400, 450)).0, 200);
}

#[test]
fn a_known_content_is_complete_at_once_for_its_owner_only() {
    let (receiver, data) = start_with_400(Options::default());
    ask(receiver.addr(), &send("u1", &data, 400, 1000));
    let md5 = md5_hex_of(&data);
    let find = format!("name=copy&size=1000&mtime=2&md5={md5}");
    let (_, body) = ask(receiver.addr(), &locate(&find));
    assert!(body.contains("complete"), "{body}");
    let (_, body) = ask(receiver.addr(), &locate(&format!("{find}&user=other")));
    assert!(body.contains("new"), "{body}");
    let files = receiver.files();
    assert_eq!(files.len(), 2);
    assert_eq!(files[1], ("copy".to_owned(), data));
}

#[test]
fn identity_is_owner_directory_name_size_and_time() {
    let (receiver, _) = start_with_400(Options::default());
    for other in [
        "name=g&size=1000&mtime=1",
        "name=f&size=1001&mtime=1",
        "name=f&size=1000&mtime=2",
        "name=f&size=1000&mtime=1&dir=d",
        "name=f&size=1000&mtime=1&user=u",
    ] {
        assert_eq!(offset(&ask(receiver.addr(), &locate(other)).1), 0);
    }
    assert_eq!(offset(&ask(receiver.addr(), &locate(FIND)).1), 400);
}

#[test]
fn an_empty_file_is_complete_after_one_send() {
    let receiver = ModelReceiver::start();
    ask(receiver.addr(), &locate("name=e&size=0&mtime=1"));
    let (_, body) = ask(receiver.addr(), &send("u1", b"", 0, 0));
    assert!(body.contains("complete"));
    assert_eq!(receiver.files(), [("e".to_owned(), vec![])]);
}
