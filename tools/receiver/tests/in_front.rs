//! A receiver behind a web server: below a path, beside another one on the same host, and with slashes that people add.

mod common;

use std::io::Write;

use common::accounts::{post, with, PASSWORD};
use common::{head, Receiver, Reply, Upload};

fn get(receiver: &Receiver, target: &str, headers: &[(&str, &str)]) -> Reply {
    receiver.exchange(&with(head("GET", target, "", 0), headers))
}

fn finish(receiver: &Receiver) -> Reply {
    let file = Upload::new("a.bin", 100);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0)
}

#[test]
fn redirects_and_cookies_stay_below_any_path() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let page = receiver.get("/");
    assert_eq!((page.status, page.header("location")), (303, Some("login")));
    let login = receiver.log_in("joe", PASSWORD, &[]);
    assert_eq!((login.status, login.header("location")), (303, Some("./")));
    let language = receiver.get("/login?lang=zh");
    for reply in [&login, &language] {
        let cookie = reply.header("set-cookie").unwrap();
        assert!(!cookie.contains("path="), "{cookie}");
    }
}

#[test]
fn a_base_path_is_in_all_addresses_and_may_come_with_requests() {
    let receiver = Receiver::start(&["--base-path", "/files/"]);
    let location = finish(&receiver).text("location").to_owned();
    assert!(location.starts_with("/files/uploads/"), "{location}");
    assert_eq!(receiver.get(&location).body.len(), 100);
    assert_eq!(receiver.get(&location["/files".len()..]).body.len(), 100);
    let list = receiver.get("/files/uploads").json;
    assert_eq!(list["uploads"][0]["location"], location);
    for target in ["/", "/files/", "/files/?lang=en"] {
        let page = receiver.get(target);
        let endpoint = "http://localhost/files/upload<";
        assert!(page.html().contains(endpoint), "{target}");
    }
    let bare = receiver.get("/files");
    assert_eq!(
        (bare.status, bare.header("location")),
        (308, Some("/files/"))
    );
    let lost = receiver.get("/filesystem");
    lost.expect(404, "http://localhost/files/upload");
}

#[test]
fn only_a_trusted_proxy_names_the_base_path() {
    let prefix = [("X-Forwarded-Prefix", "/files")];
    // A user, since a receiver without one takes nothing from a proxy.
    for (flags, told) in [
        (&[][..], "http://localhost/upload"),
        (
            &["--trusted-proxy", "127.0.0.1"],
            "http://localhost/files/upload",
        ),
    ] {
        let mut receiver = Receiver::start_with_users(&["joe"], &[]);
        receiver.set_flags(flags);
        receiver.kill_and_restart();
        get(&receiver, "/nothing", &prefix).expect(404, told);
        for wrong in ["//evil.example", "files", "/a\"b", "/"] {
            let reply = get(&receiver, "/nothing", &[("X-Forwarded-Prefix", wrong)]);
            reply.expect(404, "http://localhost/upload");
        }
    }
}

#[test]
fn a_browser_at_the_endpoint_is_led_to_the_page() {
    let receiver = Receiver::start(&[]);
    let browser = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let led = get(&receiver, "/upload", &browser);
    assert_eq!((led.status, led.header("location")), (303, Some("./")));
    // A form that somebody sends by GET is still a locate, and so is what a program sends.
    let form = "/upload?action=locate&name=a&size=1";
    assert_eq!(get(&receiver, form, &browser).text("state"), "new");
    receiver.get("/upload").expect(400, "'action' is missing");
}

#[test]
fn a_path_with_one_slash_too_many_leads_to_the_right_one() {
    let receiver = Receiver::start(&[]);
    for (target, location) in [
        ("/upload/", "../upload"),
        (
            "/upload/?action=locate&name=a",
            "../upload?action=locate&name=a",
        ),
        ("/uploads/x/file/", "../file"),
    ] {
        for method in ["GET", "POST"] {
            let reply = receiver.exchange(&head(method, target, "", 0));
            let found = (reply.status, reply.header("location"));
            assert_eq!(found, (308, Some(location)), "{method} {target}");
        }
    }
}

#[test]
fn receivers_at_two_ports_of_a_host_have_cookies_of_their_own() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let form = format!("user=joe&password={}", PASSWORD.replace(' ', "+"));
    let log_in = |host| receiver.exchange(&with(post("/login", &form), &[("Host", host)]));
    let (first, second) = (
        log_in("a.example:81").cookie(),
        log_in("a.example:82").cookie(),
    );
    assert!(first.starts_with("resup_session_81="), "{first}");
    assert!(second.starts_with("resup_session_82="), "{second}");
    assert!(log_in("[::1]").cookie().starts_with("resup_session="));
    // A browser sends both to both.
    let both = format!("{second}; {first}");
    for host in ["a.example:81", "a.example:82"] {
        let page = get(&receiver, "/", &[("Host", host), ("Cookie", &both)]);
        assert_eq!(page.status, 200, "{host}");
    }
    let neither = get(
        &receiver,
        "/",
        &[("Host", "a.example:83"), ("Cookie", &both)],
    );
    assert_eq!(neither.status, 303);
}

#[test]
fn a_refusal_is_readable_for_a_proxy_that_first_passes_on_the_whole_request() {
    const SIZE: usize = 32 << 20;
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    for header in ["Via", "X-Forwarded-For", "Forwarded"] {
        let request = head("POST", "/upload", "application/octet-stream", SIZE as u64);
        let mut stream = receiver.connect();
        stream
            .write_all(&with(request, &[(header, "1.1 a")]))
            .unwrap();
        stream.write_all(&vec![7; SIZE]).unwrap();
        assert_eq!(Reply::read(&mut stream).status, 401, "{header}");
    }
}
