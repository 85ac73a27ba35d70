//! Who may upload, how often a password may be tried, and who owns an upload.

mod common;

use std::io::Write;
use std::thread;
use std::time::Duration;

use common::accounts::{admin_fails, admin_ok, basic, bearer, with, PASSWORD};
use common::{head, md5_hex, post_form, Receiver, Upload};

#[test]
fn without_users_it_listens_for_this_machine_only() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    let error = admin_fails(data, &["--listen", "0.0.0.0:0"], "");
    assert!(error.contains("no user is configured"), "{error}");
    assert!(error.contains("user add NAME"), "{error}");
    let proxy = ["--listen", "127.0.0.1:0", "--trusted-proxy", "127.0.0.1"];
    let error = admin_fails(data, &proxy, "");
    assert!(error.contains("no proxy"), "{error}");

    admin_ok(data, &["user", "add", "joe"], PASSWORD);
    let receiver = Receiver::start_at("0.0.0.0:0", data, &[]);
    let file = Upload::new("a", 10);
    let joe = basic("joe", PASSWORD);
    let locate = || {
        receiver
            .locate_with(&file, &[("Authorization", &joe)])
            .status
    };
    assert_eq!(locate(), 200);
    // Nor does it open its doors when the last one goes.
    admin_ok(data, &["user", "remove", "joe"], "");
    assert_eq!(locate(), 401);
    receiver.locate(&file).expect(401, "not logged in");
}

#[test]
fn the_first_user_makes_logins_necessary_at_once() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(100).build());
    receiver.add_user("joe");
    receiver.locate(&file).expect(401, "not logged in");
    receiver
        .send_rest(&file, &id, 100)
        .expect(401, "not logged in");
    // What nobody has sent is nobody's.
    let joe = basic("joe", PASSWORD);
    let located = receiver.locate_with(&file, &[("Authorization", &joe)]);
    assert_eq!((located.status, located.offset()), (200, 0));
    assert_ne!(located.id(), id);
}

#[test]
fn without_users_requests_from_other_sites_are_refused() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 10);
    let origin = receiver.origin();
    let host = receiver.address.to_string();
    let own = [("Origin", &*origin), ("Host", &*host)];
    assert_eq!(receiver.locate_with(&file, &own).status, 200);
    let foreign = [("Origin", "http://evil.example"), ("Host", &*host)];
    receiver
        .locate_with(&file, &foreign)
        .expect(403, "another origin");
    // A name of theirs that leads to this machine.
    let rebound = [("Origin", "http://evil.example"), ("Host", "evil.example")];
    receiver
        .locate_with(&file, &rebound)
        .expect(403, "localhost");
    // Such a page's own GET says nothing of where it comes from.
    let list = head("GET", "/uploads", "", 0);
    receiver
        .exchange(&with(list, &[("Host", "evil.example:8080")]))
        .expect(403, "localhost");
}

#[test]
fn without_users_nothing_that_a_proxy_brings_is_taken_unless_it_is_allowed() {
    let file = Upload::new("a", 10);
    let signs = [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "http"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 front"),
        ("X-Real-IP", "127.0.0.1"),
        ("Host", "files.example.org"),
    ];
    // As nginx sends it that has nothing but proxy_pass.
    let bare = |receiver: &Receiver| {
        let list = format!(
            "GET /uploads HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n",
            receiver.address
        );
        receiver.exchange(list.as_bytes())
    };
    let receiver = Receiver::start(&[]);
    for sign in signs {
        let reply = receiver.locate_with(&file, &[sign]);
        assert_eq!(reply.status, 403, "{sign:?}");
        let message = reply.text("message");
        assert!(message.contains("user add"), "{message}");
        assert!(message.contains("--proxy-without-login"), "{message}");
    }
    bare(&receiver).expect(403, "a proxy");

    for flags in [
        &["--proxy-without-login"][..],
        &["--proxy-without-login", "--trusted-proxy", "127.0.0.1"],
    ] {
        let receiver = Receiver::start(flags);
        for sign in signs {
            assert_eq!(receiver.locate_with(&file, &[sign]).status, 200, "{sign:?}");
        }
        assert_eq!(bare(&receiver).status, 200);
        let foreign = [("Origin", "http://evil.example")];
        receiver
            .locate_with(&file, &foreign)
            .expect(403, "another origin");
    }
}

#[test]
fn programs_log_in_by_basic_and_bearer() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let file = Upload::new("a", 1000);
    let token = bearer(&receiver.token("joe"));
    let password = basic("joe", PASSWORD);
    let located = receiver.locate_with(&file, &[("Authorization", &password)]);
    assert_eq!(located.status, 200);
    let send = file
        .send(&located.id(), 0)
        .tail("md5", &md5_hex(&file.content));
    let send = with(send.build(), &[("Authorization", &token)]);
    receiver.exchange(&send).expect_complete(1000);

    for wrong in [
        basic("joe", "correct horses"),
        basic("Joe", PASSWORD),
        basic("", ""),
        "Basic joe".to_owned(),
        "Basic".to_owned(),
        "Bearer ".to_owned(),
        "Digest x".to_owned(),
    ] {
        let refused = receiver.locate_with(&file, &[("Authorization", &wrong)]);
        assert_eq!(
            refused.header("www-authenticate"),
            Some("basic realm=\"resup\"")
        );
        refused.expect(401, "not logged in");
    }
    // A browser would show a window of its own.
    let refused = receiver.locate_with(&file, &[("Sec-Fetch-Mode", "cors")]);
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, None)
    );
}

#[test]
fn a_changed_password_counts_from_the_next_request_on() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let file = Upload::new("a", 10);
    let locate = |password: &str| {
        let header = basic("joe", password);
        receiver
            .locate_with(&file, &[("Authorization", &header)])
            .status
    };
    assert_eq!((locate(PASSWORD), locate(PASSWORD)), (200, 200));
    let cookie = receiver.log_in_ok("joe");
    let data = receiver.data();
    admin_ok(data, &["user", "passwd", "joe"], "battery staple");
    assert_eq!((locate(PASSWORD), locate("battery staple")), (401, 200));
    let over = receiver.locate_with(&file, &[("Cookie", &cookie)]);
    assert_eq!(over.status, 401);
    admin_ok(data, &["user", "add", "ann"], PASSWORD);
    admin_ok(data, &["user", "remove", "joe"], "");
    assert_eq!(locate("battery staple"), 401);
}

#[test]
fn many_requests_at_once_with_one_password_are_one_attempt() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let header = basic("joe", PASSWORD);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..40)
            .map(|number| {
                let file = Upload::new(&format!("{number}"), 10);
                let (receiver, header) = (&receiver, &header);
                scope.spawn(move || receiver.locate_with(&file, &[("Authorization", header)]))
            })
            .collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap().status, 200);
        }
    });
}

#[test]
fn guessing_is_slowed_down_and_known_logins_work() {
    let receiver = Receiver::start_with_users(&["joe", "ann"], &[]);
    let file = Upload::new("a", 10);
    let locate = |header: &str| receiver.locate_with(&file, &[("Authorization", header)]);
    let token = bearer(&receiver.token("joe"));
    let known = basic("joe", PASSWORD);
    assert_eq!(locate(&known).status, 200);
    let cookie = receiver.log_in_ok("joe");

    // An unknown name is slowed down like a known one.
    for name in ["joe", "nobody"] {
        let attempts: Vec<_> = (0..8)
            .map(|number| locate(&basic(name, &format!("wrong password {number}"))))
            .collect();
        assert!(
            attempts[..5].iter().all(|reply| reply.status == 401),
            "{name}"
        );
        let last = attempts.into_iter().find(|reply| reply.status == 429);
        let last = last.expect("a refusal to try on");
        let wait: u64 = last.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        last.expect(429, "too many wrong passwords");
    }
    assert_eq!((locate(&known).status, locate(&token).status), (200, 200));
    let session = receiver.locate_with(&file, &[("Cookie", &cookie)]);
    assert_eq!(session.status, 200);
    // Her name has not been tried.
    assert_eq!(locate(&basic("ann", PASSWORD)).status, 200);

    // Many names from one address.
    let refused = (0..40).any(|number| locate(&basic(&format!("n{number}"), "x")).status == 429);
    assert!(refused);
    assert_eq!(locate(&token).status, 200);
}

#[test]
fn a_trusted_proxy_names_the_peer() {
    let dir = tempfile::tempdir().unwrap();
    admin_ok(dir.path(), &["user", "add", "joe"], PASSWORD);
    let receiver = Receiver::start_at(
        "127.0.0.1:0",
        dir.path(),
        &["--trusted-proxy", "127.0.0.1,10.0.0.0/8"],
    );
    let file = Upload::new("a", 10);
    let attempt = |name: &str, from: &str| {
        let header = basic(name, "wrong password");
        let headers = [("Authorization", &*header), ("X-Forwarded-For", from)];
        receiver.locate_with(&file, &headers).status
    };
    // One address, however the proxy writes it.
    let forms = ["6.6.6.6, 192.0.2.1", "[::ffff:192.0.2.1]:5678"];
    let slowed = (0..40).any(|number| attempt(&format!("n{number}"), forms[number % 2]) == 429);
    assert!(slowed);
    assert_eq!(attempt("one", "192.0.2.1"), 429);
    assert_eq!(attempt("two", "192.0.2.2, 10.0.0.1"), 401);
    // Whose address is not told shares that of the proxy with others, and locks nobody out.
    for number in 0..30 {
        assert_eq!(attempt(&format!("m{number}"), "unknown"), 401);
    }

    // TLS ends at the proxy.
    let reply = receiver.log_in("joe", PASSWORD, &[("X-Forwarded-Proto", "https")]);
    assert!(reply.head.contains("; secure"), "{}", reply.head);
    let tls = [
        ("X-Forwarded-Proto", "https"),
        ("Host", "example.org"),
        ("Origin", "https://example.org"),
    ];
    assert_eq!(receiver.log_in("joe", PASSWORD, &tls).status, 303);
    assert_eq!(receiver.log_in("joe", PASSWORD, &tls[1..]).status, 403);
}

#[test]
fn one_owner_can_neither_see_nor_touch_anothers_uploads() {
    let receiver = Receiver::start_with_users(&["joe", "ann"], &[]);
    let (joe, ann) = (basic("joe", PASSWORD), basic("ann", PASSWORD));
    let file = Upload::new("a", 1000).with("md5", &md5_hex(&Upload::new("a", 1000).content));
    let locate = |who: &str| receiver.locate_with(&file, &[("Authorization", who)]);
    let send = |who: &str, id: &str, offset| {
        let send = file.send(id, offset).tail("md5", &md5_hex(&file.content));
        receiver.exchange(&with(send.build(), &[("Authorization", who)]))
    };
    let id = locate(&joe).id();
    send(&joe, &id, 0).expect_complete(1000);
    // No instant upload, which would tell that somebody has it.
    let hers = locate(&ann);
    assert_eq!((hers.text("state"), hers.offset()), ("new", 0));
    assert_ne!(hers.id(), id);

    let answer = send(&ann, &id, 0).expect(404, "no upload");
    let unknown = send(&ann, &"0".repeat(32), 0).expect(404, "no upload");
    assert_eq!(
        answer.text("message").replace(&id, ""),
        unknown.text("message").replace(&"0".repeat(32), "")
    );

    // Nor by getting in the way of one that is under way.
    let slow = Upload::new("slow", 1000);
    let slow_id = receiver.locate_with(&slow, &[("Authorization", &joe)]).id();
    let request = with(slow.send(&slow_id, 0).build(), &[("Authorization", &joe)]);
    let mut stream = receiver.connect();
    let half = request.len() - 300;
    stream.write_all(&request[..half]).unwrap();
    thread::sleep(Duration::from_millis(1200));
    let refused = receiver.exchange(&with(
        slow.send(&slow_id, 0).build(),
        &[("Authorization", &ann)],
    ));
    refused.expect(404, "no upload");
    stream.write_all(&request[half..]).unwrap();
    common::Reply::read(&mut stream).expect_complete(1000);
}

#[test]
fn the_field_user_must_be_that_of_the_login() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let header = basic("joe", PASSWORD);
    let file = Upload::new("a", 10);
    let locate = |file: Upload| receiver.locate_with(&file, &[("Authorization", &header)]);
    let id = locate(file.clone()).id();
    assert_eq!(locate(file.clone().with("user", "joe")).id(), id);
    assert_eq!(locate(file.clone().with("user", "")).id(), id);
    locate(file.clone().with("user", "ann")).expect(403, "'user' says 'ann', the login 'joe'");
    let send = file.send(&id, 0).set("user", "ann");
    let send = with(send.build(), &[("Authorization", &header)]);
    receiver.exchange(&send).expect(403, "'ann'");

    // Where nobody logs in, nobody checks it.
    let open = Receiver::start(&[]);
    let form = file.with("user", "ann").locate_form();
    assert_eq!(open.exchange(&post_form(&form)).status, 200);
}
