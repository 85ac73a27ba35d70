//! Uploads that a hook has given another name and directory: lists, folders, the zip file and the admin's view have these.

mod common;

use common::accounts::post;
use common::hook::{Answer, HookServer};
use common::{Receiver, Upload};
use serde_json::json;

#[test]
fn what_a_hook_has_named_is_found_by_that_name_and_directory() {
    let hook = HookServer::start_with(|call, _| {
        let name = call.json["data"]["name"].as_str().unwrap();
        let answer = match name.strip_prefix("client ") {
            Some(rest) => json!({"name": format!("Öl {rest}"), "dir": "inbox"}),
            None => json!({"accept": true}),
        };
        Answer::Status(200, answer.to_string())
    });
    let receiver = Receiver::start(&["--hook-before", &hook.url()]);
    let mut ids = Vec::new();
    for (name, dir) in [("client a", "sent"), ("client b", "empty"), ("z", "sent")] {
        let file = Upload::new(name, 10).with("dir", dir);
        let (id, _) = receiver.locate_ok(&file);
        let unfinished = &receiver.get(&format!("/uploads/{id}")).json;
        if name != "z" {
            assert_eq!(unfinished["client_name"], name);
            assert_eq!(unfinished["client_dir"], dir);
        } else {
            assert!(unfinished.get("client_name").is_none(), "{unfinished:?}");
        }
        receiver.send_rest(&file, &id, 0).expect_complete(10);
        ids.push(id);
    }
    let names = |query: &str| {
        let list = receiver.get(&format!("/uploads?{query}"));
        let items = list.json["uploads"].as_array().unwrap().clone();
        let name = |item: &serde_json::Value| item["name"].as_str().unwrap().to_owned();
        (
            items.iter().map(name).collect::<Vec<_>>(),
            list.json["next"].as_str().map(str::to_owned),
        )
    };
    assert_eq!(names("search=client").0, [""; 0]);
    assert_eq!(names("sort=name&search=%C3%B6l").0, ["Öl a", "Öl b"]);
    assert_eq!(names("sort=name&dir=inbox").0, ["Öl a", "Öl b"]);
    assert_eq!(names("dir=sent").0, ["z"]);
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let (page, next) = names(&format!("sort=-name&limit=1{after}"));
        all.extend(page);
        assert!(all.len() <= 3, "{all:?}");
        match next {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(all, ["Öl b", "Öl a", "z"]);
    let by_id = names(&format!("sort=name&after={}", ids[2])).0;
    assert_eq!(by_id, ["Öl a", "Öl b"]);
    let account = receiver.get("/account").json;
    assert_eq!(account["folders"], json!(["inbox", "sent"]));
    let zip = receiver.exchange(&post("/zip", &format!("ids={}", ids.join(","))));
    assert_eq!(zip.status, 200);
    for path in ["inbox/Öl a", "inbox/Öl b", "sent/z"] {
        let there = |part: &[u8]| part == path.as_bytes();
        assert!(zip.body.windows(path.len()).any(there), "{path}");
    }
}
