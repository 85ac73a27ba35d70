//! Invalid requests, by mistake or on purpose.

mod common;

use std::io::Write;
use std::time::{Duration, Instant};

use common::{
    head, md5_hex, part, post_form, post_multipart, Receiver, Reply, Send, Upload, BOUNDARY,
};

fn prepared() -> (Receiver, Upload, String) {
    let receiver = Receiver::start(&["--body-idle-timeout", "2"]);
    let file = Upload::new("a.bin", 1000);
    let (id, _) = receiver.locate_ok(&file);
    (receiver, file, id)
}

#[test]
fn a_client_that_sends_all_can_read_an_early_refusal() {
    const FLOOD: usize = 64 << 20;
    let receiver = Receiver::start(&[]);
    let mut file = Upload::new("a.bin", 0);
    file.content = vec![7; FLOOD];
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(10).build());

    let send = file.send(&id, 0).set("offset", "5").set("length", "20");
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let opening = send.opening();
    let head = head("POST", "/upload", &kind, (opening.len() + FLOOD) as u64);

    // One that reads only when it can write no more.
    let mut stream = receiver.connect();
    stream.write_all(&[&head[..], &opening].concat()).unwrap();
    let flooded = file
        .content
        .chunks(1 << 16)
        .try_for_each(|piece| stream.write_all(piece));
    assert!(flooded.is_err(), "the receiver has read 64 MB for nothing");
    assert_eq!(Reply::read(&mut stream).expect(409, "10").offset(), 10);

    // One that reads while it writes has its answer at once.
    let mut stream = receiver.connect();
    let begun = Instant::now();
    stream.write_all(&[&head[..], &opening].concat()).unwrap();
    let mut sender = stream.try_clone().unwrap();
    let sending = std::thread::spawn(move || while sender.write_all(&[7; 1 << 16]).is_ok() {});
    let reply = Reply::read(&mut stream).expect(409, "10");
    assert!(reply.head.contains("connection: close"));
    assert!(begun.elapsed() < Duration::from_secs(1));
    sending.join().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_complete_file_is_answered_while_the_client_still_sends() {
    let (receiver, file, id) = prepared();
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    let mut body = file.send(&id, 0).opening();
    body.resize(body.len() + (16 << 20), 7);
    receiver
        .exchange(&post_multipart(&body))
        .expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}

/// A send that makes the receiver drop the whole file.
fn restarting(file: &Upload, send: &Send) -> Vec<u8> {
    let held = md5_hex(&file.content);
    send.clone().set("restart", &held).limit(0).build()
}

#[test]
fn missing_and_invalid_fields_are_named() {
    let (receiver, file, id) = prepared();
    let send = file.send(&id, 0);
    for field in ["action", "id", "name", "size", "offset", "length"] {
        let reply = receiver.exchange(&send.clone().without(field).build());
        reply.expect(400, &format!("'{field}' is missing"));
    }
    for (field, value) in [
        ("action", "locate"),
        ("size", "-1"),
        ("size", "9223372036854775808"),
        ("offset", "x"),
        ("length", ""),
    ] {
        let reply = receiver.exchange(&send.clone().set(field, value).build());
        reply.expect(400, &format!("field '{field}' cannot be '{value}'"));
    }
    for tail in ["md5", "sha256", "prefix_md5"] {
        let reply = receiver.exchange(&send.clone().tail(tail, "zz").build());
        reply.expect(400, &format!("field '{tail}' cannot be 'zz'"));
        receiver.exchange(&restarting(&file, &send));
    }
    receiver
        .exchange(&send.clone().set("id", &"0".repeat(32)).build())
        .expect(404, "no upload");
    receiver
        .exchange(&send.clone().set("name", "b").build())
        .expect(409, "'a.bin'");
    receiver
        .exchange(&send.clone().set("size", "1001").build())
        .expect(409, "1000 bytes");
    receiver
        .exchange(&send.clone().set("length", "1001").build())
        .expect(400, "past the size");
    let max = i64::MAX.to_string();
    let far = send.clone().set("offset", &max).set("length", &max);
    receiver.exchange(&far.build()).expect(400, "past the size");

    receiver.send_rest(&file, &id, 0).expect_complete(1000);
}

#[test]
fn locates_that_are_wrong_are_refused() {
    let receiver = Receiver::start(&[]);
    let locate = |form: &str| receiver.exchange(&post_form(form));
    locate("").expect(400, "'action' is missing");
    locate("action=send&name=a&size=1").expect(400, "multipart");
    locate("action=x&name=a&size=1").expect(400, "'x'");
    locate("action=locate&size=1").expect(400, "'name' is missing");
    locate("action=locate&name=&size=1").expect(400, "'name' is empty");
    locate("action=locate&name=%00&size=1").expect(400, "'name'");
    locate("action=locate&name=%FF&size=1").expect(400, "'name'");
    locate("action=locate&name=a&size=1e3").expect(400, "'1e3'");
    locate("action=locate&name=a&size=1&mtime=now").expect(400, "'now'");
    locate("action=locate&name=a&size=1&md5=abc").expect(400, "'abc'");
    let long = |n| format!("action=locate&size=1&name={}", "n".repeat(n));
    assert_eq!(locate(&long(255)).status, 200);
    locate(&long(256)).expect(400, "255");
    locate(&format!(
        "action=locate&name=a&size=1&x={}",
        "x".repeat(16385)
    ))
    .expect(400, "'x'");
    locate(&("action=locate&name=a&size=1".to_owned() + &"&x=".repeat(98)))
        .expect(400, "100 fields");
    locate(&"x".repeat(65537)).expect(413, "65536");
    let size = i64::MAX as u64;
    assert_eq!(
        locate(&format!("action=locate&name=a&size={size}")).status,
        200
    );
    locate(&format!("action=locate&name=a&size={}", size + 1)).expect(400, "'size'");
}

#[test]
fn a_body_that_is_no_form_is_refused() {
    let receiver = Receiver::start(&[]);
    receiver
        .exchange(&head("POST", "/upload", "application/json", 0))
        .expect(415, "json");
    receiver
        .exchange(&head("POST", "/upload", "multipart/form-data", 0))
        .expect(400, "boundary");
    receiver.exchange(&head("PUT", "/upload", "", 0)).expect(
        405,
        "this path takes no PUT; the URL for uploads is http://localhost/upload, by POST",
    );
    receiver
        .exchange(&head("POST", "/uploads", "", 0))
        .expect(405, "this path takes no POST");
    receiver
        .exchange(&head("GET", "/nothing", "", 0))
        .expect(404, "nothing");
}

#[test]
fn a_wrong_length_is_refused_and_the_bytes_are_kept() {
    let (receiver, file, id) = prepared();
    let more = file.send(&id, 0).limit(500);
    let mut more = more.set("length", "300");
    let reply = receiver.exchange(&more.build()).expect(400, "more bytes");
    assert_eq!(reply.offset(), 300);
    assert_eq!(
        std::fs::read(receiver.partial(&id)).unwrap(),
        file.content[..300]
    );

    more = file.send(&id, 300).limit(200).set("length", "250");
    assert_eq!(
        receiver
            .exchange(&more.build())
            .expect(400, "has 200 bytes")
            .offset(),
        500
    );
    receiver.send_rest(&file, &id, 500).expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn hostile_parts_are_limited() {
    let (receiver, file, id) = prepared();
    let send = file.send(&id, 0);
    let refuse = |body: &[u8], message: &str| {
        receiver
            .exchange(&post_multipart(body))
            .expect(400, message);
    };
    // A part's header without end, a preamble without a boundary, and 64 MB of each.
    let header = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"");
    refuse(
        &[header.as_bytes(), &[b'x'; 1 << 20]].concat(),
        "without a part",
    );
    refuse(&vec![b'-'; 64 << 20], "without a part");
    // Many headers.
    let many = format!("--{BOUNDARY}\r\n{}\r\n", "A: b\r\n".repeat(1000));
    refuse(many.as_bytes(), "was cut");
    // Too many fields, before and after the file, and too long ones.
    refuse(&part("x", "y").repeat(102), "100 fields");
    let mut tails = send.clone();
    tails.tail = vec![("x".into(), "y".into()); 101];
    refuse(
        &[tails.opening(), tails.bytes.clone(), tails.closing()].concat(),
        "100 fields",
    );
    receiver.exchange(&restarting(&file, &send));
    refuse(&part("x", &"y".repeat(16385)), "'x'");
    refuse(&part("name", "a").repeat(2), "was cut");
    // Not the boundary, cut off, nothing at all, no file, two files.
    let other = format!("--other\r\n{}", "x".repeat(100));
    refuse(other.as_bytes(), "was cut");
    refuse(b"", "was cut");
    refuse(&part("action", "send")[..30], "was cut");
    let closing = format!("--{BOUNDARY}--\r\n");
    refuse(
        &[part("action", "send"), closing.clone().into()].concat(),
        "'file' is missing",
    );
    let twice = [
        send.opening(),
        send.bytes.clone(),
        b"\r\n".to_vec(),
        send.opening()[..].to_vec(),
    ]
    .concat();
    refuse(&twice, "");
    let invalid = [part("action", "send"), part("name", "?"), closing.into()].concat();
    let invalid: Vec<u8> = invalid
        .iter()
        .map(|b| if *b == b'?' { 0xFF } else { *b })
        .collect();
    refuse(&invalid, "'name'");
    // It still works, and what is left of the attempts does no harm.
    let (id, offset) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, offset).expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn fields_may_come_in_any_order() {
    let (receiver, file, id) = prepared();
    let mut send = file.send(&id, 0);
    send.fields.reverse();
    send.fields.insert(3, ("host's own".into(), "值".into()));
    receiver.exchange(&send.build()).expect_complete(1000);
}

#[test]
fn file_bytes_that_look_like_boundaries_arrive_unchanged() {
    let (receiver, ..) = prepared();
    let mut file = Upload::new("tricky", 0);
    let almost = format!("\r\n--{}\r\n--\r\r\n\r\n-", &BOUNDARY[..BOUNDARY.len() - 1]);
    file.content = almost.repeat(5000).into_bytes();
    let (id, _) = receiver.locate_ok(&file);
    receiver
        .send_rest(&file, &id, 0)
        .expect_complete(file.content.len() as u64);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_chunked_body_works_too() {
    let (receiver, file, id) = prepared();
    let send = file.send(&id, 0);
    let body = [send.opening(), send.bytes.clone(), send.closing()].concat();
    let mut request = format!(
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
         Content-Type: multipart/form-data; boundary=\"{BOUNDARY}\"\r\n\r\n"
    )
    .into_bytes();
    for piece in body.chunks(7) {
        request.extend(format!("{:x}\r\n", piece.len()).bytes());
        request.extend(piece);
        request.extend(b"\r\n");
    }
    request.extend(b"0\r\n\r\n");
    receiver.exchange(&request).expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}
