//! The routes of the page: the account, the zip file, the password, the admin's view.

mod common;

use common::accounts::{admin_fails, admin_ok, basic, bearer, post, with, PASSWORD};
use common::{encode, head, Receiver, Reply, Upload};
use sha2::{Digest, Sha256};

/// Makes a request with a user's password.
fn ask(receiver: &Receiver, user: &str, request: Vec<u8>) -> Reply {
    let credentials = basic(user, PASSWORD);
    receiver.exchange(&with(request, &[("Authorization", &credentials)]))
}

fn get(path: &str) -> Vec<u8> {
    head("GET", path, "", 0)
}

/// Uploads a file as a user. Returns its id.
fn upload(receiver: &Receiver, user: &str, file: &Upload) -> String {
    let credentials = basic(user, PASSWORD);
    let headers = [("Authorization", &*credentials)];
    let id = receiver.locate_with(file, &headers).id();
    let sent = receiver.exchange(&with(file.send(&id, 0).build(), &headers));
    assert_eq!(sent.status, 200, "{:?}", sent.json);
    id
}

#[test]
fn a_zip_file_has_the_files_of_its_user_under_safe_names() {
    let receiver = Receiver::start_with_users(&["joe", "eve"], &[]);
    let names = ["a.txt", "A.TXT", "..\\..\\evil.exe", "文.bin"];
    let files = names.map(|name| Upload::new(name, 100_000).with("dir", "d"));
    let ids = files.each_ref().map(|file| upload(&receiver, "joe", file));
    let foreign = upload(&receiver, "eve", &Upload::new("eve.txt", 10));
    let form = format!("ids={}&ids={}", ids[..2].join(","), ids[2..].join(","));
    let zip = ask(&receiver, "joe", post("/zip", &form));
    assert_eq!(zip.status, 200);
    assert_eq!(zip.header("content-type"), Some("application/zip"));
    let disposition = zip.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment"), "{disposition}");
    let length = zip.body.len().to_string();
    assert_eq!(zip.header("content-length"), Some(&*length));
    let has = |part: &[u8]| zip.body.windows(part.len()).any(|there| there == part);
    for path in ["d/a.txt", "d/A (2).TXT", "d/..%5C..%5Cevil.exe", "d/文.bin"] {
        assert!(has(path.as_bytes()), "{path}");
    }
    assert!(!has(b"..\\"));
    for file in &files {
        assert!(has(&file.content));
    }

    let refuse = |ids: &str, why: &str, status: u16| {
        let form = format!("ids={}", encode(ids));
        ask(&receiver, "joe", post("/zip", &form)).expect(status, why);
    };
    refuse(&foreign, &foreign, 404);
    refuse("", "names no upload", 400);
    let half = Upload::new("half", 10);
    let headers = [("Authorization", &*basic("joe", PASSWORD))];
    let id = receiver.locate_with(&half, &headers).id();
    refuse(&id, "not finished", 404);
    let nobody = receiver.exchange(&post("/zip", &form));
    nobody.expect(401, "not logged in");
}

#[test]
fn a_zip_file_whose_file_is_gone_ends_early() {
    let receiver = Receiver::start(&[]);
    let files = [Upload::new("a", 3000), Upload::new("b", 3000)];
    let ids = files.each_ref().map(|file| {
        let (id, offset) = receiver.locate_ok(file);
        receiver.send_rest(file, &id, offset).expect_complete(3000);
        id
    });
    std::fs::remove_file(receiver.file(&ids[1])).unwrap();
    let mut stream = receiver.connect();
    let request = post("/zip", &format!("ids={}", ids.join(",")));
    std::io::Write::write_all(&mut stream, &request).unwrap();
    let mut answer = Vec::new();
    // It may be an error of the connection.
    let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    assert!(!answer.windows(4).any(|there| there == b"PK\x05\x06"));
}

/// A session, with what a page in a browser sends.
struct Page<'r> {
    receiver: &'r Receiver,
    cookie: String,
    origin: String,
}

impl<'r> Page<'r> {
    fn open(receiver: &'r Receiver, user: &str) -> Self {
        let (host, origin) = (receiver.address.to_string(), receiver.origin());
        let own = [("Origin", &*origin), ("Host", &*host)];
        let cookie = receiver.log_in(user, PASSWORD, &own).cookie();
        Self {
            receiver,
            cookie,
            origin,
        }
    }

    fn token(&self) -> String {
        let (_, id) = self.cookie.split_once('=').unwrap();
        hex(&Sha256::digest(format!("csrf {id}")))
    }

    fn send(&self, request: Vec<u8>, more: &[(&str, &str)]) -> Reply {
        let host = self.receiver.address.to_string();
        let own = [("Cookie", &*self.cookie), ("Host", &*host)];
        self.receiver
            .exchange(&with(request, &[&own[..], more].concat()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn no_other_sites_page_changes_a_password_or_fetches_a_zip_file() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let id = upload(&receiver, "joe", &Upload::new("a", 10));
    let page = Page::open(&receiver, "joe");
    let token = page.token();
    let password = format!("password={}&new=another+password", encode(PASSWORD));
    for (path, form) in [("/zip", format!("ids={id}")), ("/password", password)] {
        let foreign = ("Origin", "http://evil.example");
        page.send(post(path, &form), &[foreign, ("X-CSRF-Token", &token)])
            .expect(403, "another origin");
        let own = ("Origin", &*page.origin);
        page.send(post(path, &form), &[own]).expect(403, "CSRF");
        page.send(post(path, &format!("{form}&csrf=x")), &[own])
            .expect(403, "CSRF");
        let taken = page.send(post(path, &format!("{form}&csrf={token}")), &[own]);
        assert!(taken.status < 300, "{path}: {}", taken.head);
    }
}

#[test]
fn a_changed_password_ends_all_other_logins() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let (page, other) = (Page::open(&receiver, "joe"), Page::open(&receiver, "joe"));
    let token = page.token();
    let change = |old: &str, new: &str| {
        let form = format!("password={}&new={}", encode(old), encode(new));
        let headers = [("Origin", &*page.origin), ("X-CSRF-Token", &*token)];
        page.send(post("/password", &form), &headers)
    };
    assert_eq!(
        change("wrong password", "another one").json["error"],
        "old_password"
    );
    let short = change(PASSWORD, "short").expect(400, "8 characters");
    assert_eq!(short.json["error"], "password");
    assert_eq!(other.send(get("/uploads"), &[]).status, 200);
    let changed = change(PASSWORD, "another one");
    assert_eq!(changed.status, 204);
    for old in [&page.cookie, &other.cookie] {
        let host = receiver.address.to_string();
        let headers = [("Cookie", &**old), ("Host", &*host)];
        assert_eq!(
            receiver.exchange(&with(get("/uploads"), &headers)).status,
            401
        );
    }
    let page = Page {
        receiver: &receiver,
        cookie: changed.cookie(),
        origin: receiver.origin(),
    };
    assert_eq!(page.send(get("/uploads"), &[]).status, 200);
    ask(&receiver, "joe", get("/uploads")).expect(401, "not logged in");
    let new = basic("joe", "another one");
    let request = with(get("/uploads"), &[("Authorization", &new)]);
    assert_eq!(receiver.exchange(&request).status, 200);

    let without = Receiver::start(&[]);
    let form = "password=a&new=another+one";
    without
        .exchange(&post("/password", form))
        .expect(403, "no users");
}

#[test]
fn admins_see_all_users_and_others_nothing() {
    let receiver = Receiver::start_with_users(&["joe", "eve"], &["--quota", "5000"]);
    let data = receiver.data();
    admin_ok(data, &["user", "add", "root", "--admin"], PASSWORD);
    let list = admin_ok(data, &["user", "list"], "");
    let admins: Vec<_> = list.lines().filter(|it| it.ends_with("\tadmin")).collect();
    assert_eq!((admins.len(), admins[0].starts_with("root\t")), (1, true));
    upload(&receiver, "joe", &Upload::new("a", 1000));
    for path in ["/admin", "/admin/overview"] {
        ask(&receiver, "joe", get(path)).expect(403, "for admins only");
        assert_eq!(ask(&receiver, "root", get(path)).status, 200);
        let token = bearer(&receiver.token("joe"));
        let request = with(get(path), &[("Authorization", &token)]);
        receiver.exchange(&request).expect(403, "for admins only");
    }
    receiver.get("/admin/overview").expect(401, "not logged in");
    let to_login = receiver.get("/admin");
    assert_eq!(to_login.header("location"), Some("login?next=/admin"));

    let overview = ask(&receiver, "root", get("/admin/overview")).json;
    let users = overview["users"].as_array().unwrap();
    let joe = users.iter().find(|user| user["name"] == "joe").unwrap();
    assert_eq!(
        (&joe["files"], &joe["bytes"], &joe["quota"], &joe["admin"]),
        (&1.into(), &1000.into(), &5000.into(), &false.into())
    );
    assert_eq!(users.len(), 3);

    admin_ok(data, &["user", "admin", "joe"], "");
    assert_eq!(ask(&receiver, "joe", get("/admin")).status, 200);
    admin_ok(data, &["user", "admin", "joe", "--revoke"], "");
    ask(&receiver, "joe", get("/admin")).expect(403, "for admins only");
    let error = admin_fails(data, &["user", "admin", "nobody"], "");
    assert!(error.contains("no user 'nobody'"), "{error}");

    let without = Receiver::start(&[]);
    without.get("/admin").expect(403, "for admins only");
}

#[test]
fn an_account_tells_what_is_there_and_how_much_more_may_be() {
    let receiver = Receiver::start_with_users(&["joe", "eve"], &["--quota", "5000"]);
    upload(&receiver, "eve", &Upload::new("a", 10).with("dir", "eve"));
    for (name, dir) in [("a", ""), ("b", "x/y"), ("c", "x/y"), ("d", "文")] {
        let file = Upload::new(name, 1000);
        let file = if dir.is_empty() {
            file
        } else {
            file.with("dir", dir)
        };
        upload(&receiver, "joe", &file);
    }
    let account = ask(&receiver, "joe", get("/account")).json;
    assert_eq!(account["folders"], serde_json::json!(["x/y", "文"]));
    assert_eq!(
        (&account["files"], &account["bytes"]),
        (&4.into(), &4000.into())
    );
    assert_eq!(account["quota"], 5000);
    assert!(account["free"].as_u64().is_some());
    receiver.get("/account").expect(401, "not logged in");
    let none = Receiver::start(&[]).get("/account").json;
    assert_eq!(none["folders"], serde_json::json!([]));
    assert!(none["quota"].is_null());
}

#[test]
fn a_zip_file_can_be_unpacked_whatever_the_names() {
    let receiver = Receiver::start(&[]);
    let long = "文".repeat(200);
    let mut ids = Vec::new();
    // A file where another one has a directory, and a name that no disk takes.
    for (name, dir) in [("a", ""), ("b", "A"), (&*long, "")] {
        let file = Upload::new(name, 10);
        let file = if dir.is_empty() {
            file
        } else {
            file.with("dir", dir)
        };
        let (id, _) = receiver.locate_ok(&file);
        receiver.send_rest(&file, &id, 0).expect_complete(10);
        ids.push(id);
    }
    // Each is there once, however often it is named.
    let named = vec![ids.join(","); 100].join(",");
    let zip = receiver.exchange(&post("/zip", &format!("ids={named}")));
    assert_eq!(zip.status, 200);
    let mut paths: Vec<_> = zip
        .body
        .windows(4)
        .enumerate()
        .filter(|(_, four)| four == b"PK\x01\x02")
        .map(|(at, _)| {
            let entry = &zip.body[at..];
            let length = usize::from(entry[28]) + 256 * usize::from(entry[29]);
            String::from_utf8(entry[46..46 + length].to_vec()).unwrap()
        })
        .collect();
    paths.sort();
    let short = format!("{} (2)", "文".repeat(83));
    assert_eq!(paths, ["A/b", "a (2)", &*short]);

    let file = Upload::new("c", 10).with("dir", &"文".repeat(200));
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(10);
    let refused = receiver.exchange(&post("/zip", &format!("ids={id}")));
    refused.expect(400, "download it alone");
}
