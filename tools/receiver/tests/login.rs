//! The login form, its sessions, and pages of other sites, which may not use them.

mod common;

use std::thread::sleep;
use std::time::Duration;

use common::accounts::{admin_ok, basic, bearer, post, with, PASSWORD};
use common::{head, post_form, Receiver, Reply, Upload};

fn started() -> Receiver {
    Receiver::start_with_users(&["joe"], &[])
}

fn locate(receiver: &Receiver, headers: &[(&str, &str)]) -> Reply {
    receiver.locate_with(&Upload::new("a", 10), headers)
}

#[test]
fn a_login_gives_a_cookie_that_works_for_uploads() {
    let receiver = started();
    let reply = receiver.log_in("joe", PASSWORD, &[]);
    assert_eq!((reply.status, reply.header("location")), (303, Some("./")));
    let cookie = reply.header("set-cookie").unwrap();
    let (id, attributes) = cookie.split_once(';').unwrap();
    assert_eq!(attributes, " httponly; samesite=lax");
    let id = id.strip_prefix("resup_session=").unwrap();
    assert!(id.len() >= 32, "{id}");
    // The database knows only its hash.
    for entry in std::fs::read_dir(receiver.data()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        assert!(!bytes
            .windows(id.len())
            .any(|window| window == id.as_bytes()));
    }
    let cookie = reply.cookie();
    let others = format!("a=b; {cookie}; resup_sessions=x");
    let located = locate(&receiver, &[("Cookie", &others)]);
    assert_eq!(located.status, 200);
    // The owner is the one that Basic has.
    let by_basic = locate(&receiver, &[("Authorization", &basic("joe", PASSWORD))]);
    assert_eq!(by_basic.id(), located.id());
    for wrong in ["resup_session=", "resup_session=x", "x=y"] {
        locate(&receiver, &[("Cookie", wrong)]).expect(401, "not logged in");
    }
}

#[test]
fn the_login_page_allows_no_other_sites_content() {
    let receiver = started();
    let reply = receiver.exchange(&head("GET", "/login?next=/%22%3E{{user}}", "", 0));
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    for field in ["name=\"user\"", "name=\"password\"", "name=\"next\""] {
        assert!(reply.html().contains(field), "{}", reply.html());
    }
    let next = "value=\"/&#34;&#62;{{user}}\"";
    assert!(reply.html().contains(next), "{}", reply.html());
}

#[test]
fn a_wrong_login_is_shown_in_the_form_or_as_json() {
    let receiver = started();
    let page = receiver.log_in("<joe>", "wrong password", &[]);
    assert_eq!((page.status, page.header("set-cookie")), (401, None));
    assert!(page.html().contains("User name or password is wrong."));
    assert!(page.html().contains("value=\"&#60;joe&#62;\""));
    assert!(!page.html().contains("wrong password\""));
    let json = receiver.log_in("joe", "wrong password", &[("Accept", "application/json")]);
    json.expect(401, "wrong name or password");
    let json = [("Accept", "application/json")];
    receiver
        .exchange(&with(post("/login", "user=joe"), &json))
        .expect(400, "'password' is missing");
    // The receiver's own message is English, so a page in another language does without it.
    for (language, told) in [
        (
            "en",
            "The login failed. field &#39;password&#39; is missing",
        ),
        ("zh", "登录失败。"),
    ] {
        let languages = [("Accept-Language", language)];
        let page = receiver.exchange(&with(post("/login", "user=joe"), &languages));
        let html = page.html();
        assert!(html.contains(told), "{html}");
        assert_eq!(html.contains("missing"), language == "en", "{html}");
    }
}

#[test]
fn an_upload_to_the_login_is_told_the_right_url() {
    let receiver = started();
    let json = [("Accept", "application/json")];
    let form = "action=locate&name=a&size=1&user=joe";
    receiver
        .exchange(&with(post("/login", form), &json))
        .expect(
            404,
            "this is the login; the URL for uploads is http://localhost/upload",
        );
}

#[test]
fn too_many_logins_are_refused_with_a_time_to_wait() {
    let receiver = started();
    let tries = (0..8).map(|number| receiver.log_in("joe", &format!("wrong {number}"), &[]));
    let refused = tries.into_iter().find(|reply| reply.status != 401).unwrap();
    assert_eq!(refused.status, 429);
    let wait = refused.header("retry-after").unwrap();
    let sentence = format!("Wait {wait} s");
    assert!(refused.html().contains(&sentence), "{}", refused.html());
    // Also for the right password: it would be a way to find it.
    assert_eq!(receiver.log_in("joe", PASSWORD, &[]).status, 429);
}

#[test]
fn each_login_has_a_new_session_and_ends_the_old_one() {
    let receiver = started();
    let first = receiver.log_in_ok("joe");
    let planted = [("Cookie", "resup_session=0123456789abcdef0123456789abcdef")];
    let second = receiver.log_in("joe", PASSWORD, &planted).cookie();
    assert_ne!(second, planted[0].1);
    let third = receiver
        .log_in("joe", PASSWORD, &[("Cookie", &second)])
        .cookie();
    assert_ne!(second, third);
    assert_eq!(locate(&receiver, &[("Cookie", &second)]).status, 401);
    assert_eq!(locate(&receiver, &[planted[0]]).status, 401);
    // One elsewhere goes on.
    assert_eq!(locate(&receiver, &[("Cookie", &first)]).status, 200);
    assert_eq!(locate(&receiver, &[("Cookie", &third)]).status, 200);
}

#[test]
fn sessions_survive_a_restart_and_end_with_their_user() {
    let mut receiver = started();
    let cookie = receiver.log_in_ok("joe");
    receiver.kill_and_restart();
    assert_eq!(locate(&receiver, &[("Cookie", &cookie)]).status, 200);
    receiver.add_user("ann");
    admin_ok(receiver.data(), &["user", "remove", "joe"], "");
    assert_eq!(locate(&receiver, &[("Cookie", &cookie)]).status, 401);
}

#[test]
fn a_session_ends_when_it_is_idle() {
    let receiver = Receiver::start_with_users(&["joe"], &["--session-idle", "3"]);
    let cookie = receiver.log_in_ok("joe");
    let used = receiver.log_in_ok("joe");
    for _ in 0..8 {
        sleep(Duration::from_millis(500));
        assert_eq!(locate(&receiver, &[("Cookie", &used)]).status, 200);
    }
    assert_eq!(locate(&receiver, &[("Cookie", &cookie)]).status, 401);
}

#[test]
fn a_session_ends_when_it_is_old_even_if_it_is_used() {
    let receiver = Receiver::start_with_users(&["joe"], &["--session-lifetime", "2"]);
    let cookie = receiver.log_in_ok("joe");
    let status = || locate(&receiver, &[("Cookie", &cookie)]).status;
    assert_eq!(status(), 200);
    let mut looks = 0;
    while status() == 200 {
        looks += 1;
        assert!(looks < 200, "it lives on");
        sleep(Duration::from_millis(100));
    }
    assert_eq!(status(), 401);
}

/// Computes the CSRF token of a session's pages from its cookie.
fn csrf(cookie: &str) -> String {
    use sha2::{Digest, Sha256};
    let (_, id) = cookie.split_once('=').unwrap();
    let hash = Sha256::digest(format!("csrf {id}"));
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives a session to all hosts that a test writes: a cookie's name has the port.
fn at_all_ports(receiver: &Receiver, cookie: &str) -> String {
    let (_, id) = cookie.split_once('=').unwrap();
    let port = receiver.address.port();
    format!("resup_session={id}; resup_session_80={id}; resup_session_{port}={id}")
}

#[test]
fn only_the_receivers_own_pages_can_use_a_session() {
    let receiver = started();
    let cookie = receiver.log_in_ok("joe");
    let origin = receiver.origin();
    let host = receiver.address.to_string();
    let token = csrf(&cookie);
    let cookie = at_all_ports(&receiver, &cookie);
    let base = [("Cookie", &*cookie), ("Host", &*host)];
    let ask = |more: &[(&str, &str)]| locate(&receiver, &[&base[..], more].concat());

    // A program, that has filled in the form.
    assert_eq!(ask(&[]).status, 200);
    // The page.
    let (own, right) = (("Origin", &*origin), ("X-CSRF-Token", &*token));
    assert_eq!(ask(&[own, right]).status, 200);
    assert_eq!(ask(&[("Sec-Fetch-Site", "same-origin"), right]).status, 200);
    let default_port = [
        ("Cookie", &*cookie),
        ("Host", "Example.org:80"),
        ("Origin", "http://example.org"),
    ];
    assert_eq!(
        locate(&receiver, &[&default_port[..], &[right]].concat()).status,
        200
    );
    // The page without its token, or with another one.
    ask(&[own]).expect(403, "CSRF");
    ask(&[own, ("X-CSRF-Token", &token[1..])]).expect(403, "CSRF");
    ask(&[own, ("X-CSRF-Token", "")]).expect(403, "CSRF");
    ask(&[("Sec-Fetch-Site", "same-origin")]).expect(403, "CSRF");
    // Other pages, whatever they know.
    for foreign in [
        "http://evil.example",
        "null",
        "",
        &origin.replace("http:", "https:"),
        &origin.replace("127.0.0.1", "127.0.0.2"),
        &format!("{origin}.evil.example"),
    ] {
        ask(&[("Origin", foreign), right]).expect(403, "another origin");
    }
    for site in ["cross-site", "same-site", "?"] {
        ask(&[("Sec-Fetch-Site", site), right]).expect(403, "another site");
        for path in ["/upload", "/"] {
            let target = format!("{path}?{}", Upload::new("a", 10).locate_form());
            let link = head("GET", &target, "", 0);
            let headers = [&base[..], &[("Sec-Fetch-Site", site)]].concat();
            receiver
                .exchange(&with(link, &headers))
                .expect(403, "another site");
        }
    }
    // Without TLS a browser tells only its own name when somebody follows a link.
    let target = format!("/upload?{}", Upload::new("a", 10).locate_form());
    let followed = |agent: &str, by: (&str, &str)| {
        let link = head("GET", &target, "", 0);
        receiver.exchange(&with(link, &[by, ("User-Agent", agent)]))
    };
    let password = ("Authorization", &*basic("joe", PASSWORD));
    for by in [("Cookie", &*cookie), password] {
        let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        followed(browser, by).expect(403, "a browser's GET");
        assert_eq!(followed("resup/0.1.0", by).status, 200);
    }
    // A browser keeps a password of Basic, and sends it along like a cookie; a token never.
    let (basic, bearer) = (basic("joe", PASSWORD), bearer(&receiver.token("joe")));
    let foreign = ("Origin", "http://evil.example");
    locate(&receiver, &[foreign, ("Authorization", &basic)]).expect(403, "another origin");
    let by_token = locate(&receiver, &[foreign, ("Authorization", &bearer)]);
    assert_eq!(by_token.status, 200);
}

#[test]
fn the_page_works_behind_a_proxy_that_drops_the_port() {
    let receiver = started();
    let dropped = [
        ("Host", "example.org"),
        ("Origin", "http://example.org:8080"),
    ];
    let login = receiver.log_in("joe", PASSWORD, &dropped);
    assert_eq!(login.status, 303, "{}", login.head);
    let (cookie, password) = (login.cookie(), basic("joe", PASSWORD));
    let token = csrf(&cookie);
    let (session, right) = (("Cookie", &*cookie), ("X-CSRF-Token", &*token));
    let ask = |more: &[(&str, &str)]| locate(&receiver, &[&dropped[..], more].concat());
    assert_eq!(ask(&[session, right]).status, 200);
    // A page at another port does not know the token, and a browser has sent it a password of Basic.
    ask(&[session]).expect(403, "CSRF");
    ask(&[("Authorization", &password)]).expect(403, "another origin");
    // With TLS the browser itself says whose page it is, whatever the proxy does to Host.
    let own = ("Sec-Fetch-Site", "same-origin");
    assert_eq!(ask(&[("Authorization", &password), own]).status, 200);
    for site in ["same-site", "cross-site"] {
        ask(&[session, right, ("Sec-Fetch-Site", site)]).expect(403, "another origin");
    }
    for foreign in [
        "http://example.org:",
        "http://example.org:x",
        "http://example.org.evil.example:8080",
        "http://example.org:80:80",
    ] {
        let headers = [("Host", "example.org"), ("Origin", foreign), session, right];
        locate(&receiver, &headers).expect(403, "another origin");
    }
}

#[test]
fn another_sites_page_can_log_nobody_in_or_out() {
    let receiver = started();
    let foreign = [
        ("Origin", "http://evil.example"),
        ("Accept", "application/json"),
    ];
    receiver
        .log_in("joe", PASSWORD, &foreign)
        .expect(403, "another origin");
    let host = receiver.address.to_string();
    let origin = receiver.origin();
    let own = [("Origin", &*origin), ("Host", &*host)];
    let cookie = receiver.log_in("joe", PASSWORD, &own).cookie();
    let token = csrf(&cookie);
    let cookie = at_all_ports(&receiver, &cookie);

    let log_out = |form: &str, more: &[(&str, &str)]| {
        let headers = [&[("Cookie", &*cookie), ("Host", &*host)], more].concat();
        receiver.exchange(&with(post("/logout", form), &headers))
    };
    log_out(
        &format!("csrf={token}"),
        &[("Origin", "http://evil.example")],
    )
    .expect(403, "origin");
    log_out("", &[own[0]]).expect(403, "CSRF");
    log_out("csrf=x", &[own[0]]).expect(403, "CSRF");
    assert_eq!(locate(&receiver, &[("Cookie", &cookie)]).status, 200);
    let reply = log_out(&format!("csrf={token}"), &[own[0]]);
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("login"))
    );
    let cleared = reply.header("set-cookie").unwrap();
    assert!(
        cleared.starts_with(&format!("resup_session_{}=;", receiver.address.port()))
            && cleared.ends_with("max-age=0")
    );
    assert_eq!(locate(&receiver, &[("Cookie", &cookie)]).status, 401);
    // Once more does no harm.
    assert_eq!(log_out("", &[]).status, 303);
}

#[test]
fn a_login_leads_to_pages_of_the_receiver_only() {
    let receiver = started();
    for (next, location) in [
        ("/uploads%3Fafter%3D1", "./uploads?after=1"),
        ("//evil.example", "./"),
        ("https://evil.example/", "./"),
        ("/%5Cevil.example", "./"),
        ("/%09/evil.example", "./"),
        ("/%0D%0Aset-cookie:a", "./"),
        ("/../admin", "./"),
        ("/uploads/%2E%2E/..%2Fadmin", "./"),
        ("/%252e%252E/admin", "./"),
    ] {
        let form = format!("user=joe&password=correct+horse&next={next}");
        let reply = receiver.exchange(&post("/login", &form));
        assert_eq!(
            (reply.status, reply.header("location")),
            (303, Some(location))
        );
    }
}

#[test]
fn an_invalid_form_is_refused() {
    let receiver = started();
    let refused = receiver.exchange(&post("/login", &"x".repeat(70_000)));
    refused.expect(413, "65536");
    let get = receiver.exchange(&head("GET", "/logout", "", 0));
    assert_eq!(get.status, 405);
    receiver
        .exchange(&post_form("action=locate"))
        .expect(401, "");
}

#[test]
fn a_login_under_way_does_not_survive_the_removal_of_the_user() {
    let others = ["a1", "a2", "a3", "a4", "a5", "a6"];
    let users = [&["joe"][..], &others].concat();
    let receiver = Receiver::start_with_users(&users, &[]);
    std::thread::scope(|scope| {
        // They keep both places where passwords are compared, so that this login waits with the hash that it has read.
        for user in others {
            scope.spawn(|| receiver.log_in_ok(user));
        }
        sleep(Duration::from_millis(20));
        let waits = scope.spawn(|| receiver.log_in("joe", PASSWORD, &[]));
        sleep(Duration::from_millis(20));
        admin_ok(receiver.data(), &["user", "remove", "joe"], "");
        let reply = waits.join().unwrap();
        if reply.status == 303 {
            let cookie = reply.cookie();
            locate(&receiver, &[("Cookie", &cookie)]).expect(401, "not logged in");
        }
    });
}
