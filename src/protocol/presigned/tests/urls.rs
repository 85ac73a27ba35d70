//! The URLs: how they are given, and what their refusals say.

use serde_json::Value;

use super::*;

#[test]
fn expired_urls_and_redirects_end_the_run_in_words() {
    let spec = spec("");
    for (status, body) in [
        (403, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message><Expires>x</Expires></Error>"),
        (400, "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"),
        (403, "<Error><Code>ExpiredRequest</Code></Error>"),
    ] {
        let parts = parts(&spec, Some(&record([true, false, false])));
        let error = send(&parts, &Script::new(&[(status, &[])]).with_body(body), 4, TWO).unwrap_err();
        assert!(shown(&error).contains("it was part 2 of 3; the URLs have expired"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::NotAllowed));
        assert!(!error.is_passing());
        assert_eq!(parts.record().unwrap(), record([true, false, false]));
    }
    let elsewhere: Reply<'_> = (
        307,
        &[("location", "http://other/b/k?X-Amz-Signature=s3cret")],
    );
    let parts = parts(&spec, None);
    let error = send(&parts, &Script::new(&[elsewhere]), 0, ONE).unwrap_err();
    let words = shown(&error);
    assert!(
        words.contains("points to http://other/b/k, which is not followed"),
        "{words}"
    );
    assert!(!error.after_answers(true).is_passing());
    // After answers of the storage, a network's login page may be between.
    send(&parts, &Script::new(&[STORED[0]]), 0, ONE).unwrap();
    let error = send(&parts, &Script::new(&[elsewhere]), 4, TWO).unwrap_err();
    assert!(error.after_answers(true).is_passing());
}

#[test]
fn an_upload_is_taken_back_by_its_url() {
    let with = spec(", \"abort\": \"http://s/b/k?uploadId=up&sig=s3cret\"");
    for (status, is_done) in [
        (204, true),
        (200, true),
        (404, true),
        (403, false),
        (500, false),
    ] {
        let script = Script::new(&[(status, &[])]);
        let result = parts(&with, None).discard(&script, &script::job(), None);
        assert_eq!(result.is_ok(), is_done, "{status}");
        assert_eq!(
            script.lines(),
            ["DELETE http://s/b/k?uploadId=up&sig=s3cret"]
        );
    }
    let without = spec("");
    let error = parts(&without, None)
        .discard(&Script::new(&[]), &script::job(), None)
        .unwrap_err();
    assert!(shown(&error).contains("\"abort\""), "{error}");
}

#[test]
fn what_is_wrong_with_the_urls_is_told_without_their_secrets() {
    let good = text("");
    assert!(!format!("{:?}", spec(LIST)).contains("s3cret"));
    assert_eq!(spec("").place(), "http://s/b/k?uploadId=up");
    for (text, due) in [
        ("x".to_owned(), "are no JSON object"),
        ("[]".to_owned(), "are no JSON object"),
        // A text in quotes, as of JSON that was made twice.
        (Value::from(&*good).to_string(), "are no JSON object"),
        (good.replace("part_size", "partsize"), "unknown key \"partsize\""),
        (good.replace("4,", "0,"), "have 0 for the key \"part_size\""),
        (good.replace("4,", "\"4\","), "for the key \"part_size\""),
        (good.replace("\"part_size\": 4,", ""), "have no number for the key \"part_size\""),
        (good.replace("complete", "abort"), "no URL for the key \"complete\""),
        (good.replace("\"parts\": [", "\"parts\": [7, "), "no text for \"parts\", number 1"),
        (good.replace("partNumber=2", "partNumber=3"), "partNumber=3 in the URL of part 2"),
        (good.replace("2&uploadId=up", "2&uploadId=down"), "another uploadId in the URL of part 2"),
        (good.replace("http://s/b/k?partNumber=2", "ftp://s/b/k?partNumber=2"), "have the URL \"ftp://s/b/k\" for \"parts\", number 2"),
        (good.replace("http://s/b/k?partNumber=2", "http://me:s3cret@s/b/k?partNumber=2"), "user or password"),
        (good.replace("4,", "\"http://s/?sig=s3cret\","), "have no number for the key"),
        (text(", \"http://s/?s=s3cret\": 1"), "unknown key \"http://s/\""),
        (text(", \"list\": \"http://s/l?uploadId=down\""), "uploadId in the URL for the key \"list\""),
        (text(", \"abort\": \"http://s/l?uploadId=down\""), "uploadId in the URL for the key \"abort\""),
        (text(", \"list\": 7"), "no text for \"list\""),
        (text(", \"list\": []"), "no list of URLs for the key \"list\""),
        ("{\"part_size\": 1, \"complete\": \"http://s/c\", \"parts\": [\"http://s/1\", \"http://s/1\"]}".to_owned(), "the same URL twice"),
        ("{\"part_size\": 1, \"complete\": \"http://s/c\", \"parts\": []}".to_owned(), "no list of URLs for the key \"parts\""),
    ] {
        let error = Spec::read(&text).unwrap_err();
        assert!(shown(&error).contains(due), "{due}: {error}");
    }
}

#[test]
fn there_is_one_url_for_each_part() {
    let spec = spec("");
    for (size, count) in [(8, 2), (13, 4), (0, 1), (u64::MAX - 1, 1_u64 << 62)] {
        let job = Job {
            size,
            ..script::job()
        };
        let error = Presigned::new(&spec, &job, None).err().unwrap();
        let due = format!("have 3 URLs, and the file of {size} bytes has {count} parts of 4 bytes");
        assert!(shown(&error).contains(&due), "{error}");
    }
    for size in [9, 12] {
        let job = Job {
            size,
            ..script::job()
        };
        assert!(Presigned::new(&spec, &job, None).is_ok(), "{size}");
    }
    for job in [
        Job {
            dir: "d".to_owned(),
            ..script::job()
        },
        Job {
            fields: vec![("a".to_owned(), "b".to_owned())],
            ..script::job()
        },
    ] {
        let error = Presigned::new(&spec, &job, None).err().unwrap();
        assert!(
            shown(&error).contains("has no place in presigned parts"),
            "{error}"
        );
    }
}
