//! The list of uploads in pages, searched and in each order.

mod common;

use common::accounts::{basic, with, PASSWORD};
use common::{encode, head, Receiver, Reply, Upload};
use resup_test_support::seed;

/// Reads a whole list, a page at a time. Returns the names.
fn names(receiver: &Receiver, query: &str, limit: usize) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), String::new());
    loop {
        let list = receiver.get(&format!("/uploads?limit={limit}&{query}{after}"));
        assert_eq!(list.status, 200, "{query}: {:?}", list.json);
        let page = list.json["uploads"].as_array().unwrap();
        assert!(page.len() <= limit, "{query}");
        names.extend(
            page.iter()
                .map(|item| item["name"].as_str().unwrap().to_owned()),
        );
        match list.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return names,
        }
    }
}

fn begin(receiver: &Receiver, name: &str, size: usize, dir: &str) -> String {
    let file = match dir {
        "" => Upload::new(name, size),
        dir => Upload::new(name, size).with("dir", dir),
    };
    receiver.locate_ok(&file).0
}

#[test]
fn a_list_is_searched_by_words_whatever_their_capitals() {
    let receiver = Receiver::start(&[]);
    for name in [
        "Holiday 1.JPG",
        "holiday_2.png",
        "100%.txt",
        "ÄPFEL.doc",
        "报告.pdf",
    ] {
        begin(&receiver, name, 10, "");
    }
    for (search, found) in [
        ("HOLIDAY", &["Holiday 1.JPG", "holiday_2.png"][..]),
        ("jpg holi", &["Holiday 1.JPG"]),
        ("y_", &["holiday_2.png"]),
        ("%", &["100%.txt"]),
        ("\\", &[]),
        ("äpf", &["ÄPFEL.doc"]),
        ("报", &["报告.pdf"]),
        ("a\0b", &[]),
        (
            " ",
            &[
                "100%.txt",
                "Holiday 1.JPG",
                "holiday_2.png",
                "ÄPFEL.doc",
                "报告.pdf",
            ],
        ),
    ] {
        let query = format!("sort=name&search={}", encode(search));
        assert_eq!(names(&receiver, &query, 100), found, "{search:?}");
    }
}

#[test]
fn a_list_has_the_uploads_of_one_directory() {
    let receiver = Receiver::start(&[]);
    for (name, dir) in [("top", ""), ("a", "x"), ("b", "x"), ("c", "x/y")] {
        begin(&receiver, name, 10, dir);
    }
    for (dir, found) in [
        ("", &["top"][..]),
        ("x", &["a", "b"]),
        ("x/y/", &["c"]),
        ("z", &[]),
    ] {
        let query = format!("sort=name&dir={dir}");
        assert_eq!(names(&receiver, &query, 1), found, "{dir}");
    }
}

#[test]
fn every_order_has_each_upload_once_whatever_the_pages() {
    let mut random = seed::rng(seed::seed());
    let receiver = Receiver::start(&[]);
    let mut made = Vec::new();
    for number in 0..40 {
        let prefix = random.choice(["a", "B", "c", "é", "文"]).unwrap();
        let name = format!("{prefix}{number}");
        let size = random.usize(1..5);
        let dir = ["", "d"][random.usize(0..2)];
        let file = match dir {
            "" => Upload::new(&name, size),
            dir => Upload::new(&name, size).with("dir", dir),
        };
        let (id, _) = receiver.locate_ok(&file);
        let is_complete = random.bool();
        if is_complete {
            receiver
                .send_rest(&file, &id, 0)
                .expect_complete(size as u64);
        }
        made.push((name, size, dir, is_complete));
    }
    for sort in ["name", "-name", "size", "-size", "time", "-time"] {
        for state in ["", "&state=complete", "&state=partial"] {
            for filter in ["", "&dir=d", "&search=1"] {
                let mut expected: Vec<_> = made
                    .iter()
                    .filter(|(name, _, dir, is_complete)| {
                        (state.is_empty() || (state == "&state=complete") == *is_complete)
                            && (filter != "&dir=d" || *dir == "d")
                            && (filter != "&search=1" || name.contains('1'))
                    })
                    .collect();
                let query = format!("sort={sort}{state}{filter}");
                let list = names(&receiver, &query, random.usize(1..9));
                let whole = names(&receiver, &query, 1000);
                assert_eq!(list, whole, "{query}");
                match sort.trim_start_matches('-') {
                    "name" => expected.sort_by_key(|(name, ..)| name.to_lowercase()),
                    // Those of one size are ordered by their ids.
                    "size" => {
                        let sizes: Vec<_> = list.iter().map(|name| size_of(&made, name)).collect();
                        let mut sorted = sizes.clone();
                        sorted.sort_by_key(|size| match sort.starts_with('-') {
                            true => usize::MAX - size,
                            false => *size,
                        });
                        assert_eq!(sizes, sorted, "{query}");
                    }
                    _ => {}
                }
                let mut expected: Vec<_> = expected.iter().map(|it| it.0.clone()).collect();
                if sort == "-name" {
                    expected.reverse();
                }
                if !sort.ends_with("name") {
                    expected.sort();
                    let mut list = list;
                    list.sort();
                    assert_eq!(list, expected, "{query}");
                    continue;
                }
                assert_eq!(list, expected, "{query}");
            }
        }
    }
}

fn size_of(made: &[(String, usize, &str, bool)], name: &str) -> usize {
    made.iter().find(|it| it.0 == name).unwrap().1
}

#[test]
fn a_list_goes_on_when_the_last_upload_of_a_page_is_deleted() {
    let receiver = Receiver::start(&[]);
    for name in ["a", "b", "c"] {
        begin(&receiver, name, 10, "");
    }
    let page = receiver.get("/uploads?sort=name&limit=2");
    let next = page.text("next");
    let id = page.json["uploads"][1]["id"].as_str().unwrap();
    assert_eq!(receiver.delete(&format!("/uploads/{id}")).status, 204);
    let rest = receiver.get(&format!("/uploads?sort=name&after={next}"));
    assert_eq!(rest.json["uploads"][0]["name"], "c");
    assert!(rest.json["next"].is_null());
}

#[test]
fn a_wrong_query_of_a_list_says_what_is_wrong() {
    let receiver = Receiver::start(&[]);
    let id = begin(&receiver, "a", 10, "");
    let long = "x".repeat(1025);
    let many = vec!["x"; 17].join("+");
    for (query, status, message) in [
        ("sort=owner", 400, "'owner'"),
        ("sort=--name", 400, "'--name'"),
        ("dir=../x", 400, "dir"),
        (&format!("search={long}"), 400, "search"),
        (&format!("search={many}"), 400, "16 words"),
        (&format!("after={id}.x"), 404, "'"),
        (&format!("sort=name&after={id}.*"), 404, "'"),
    ] {
        let reply: Reply = receiver.get(&format!("/uploads?{query}"));
        reply.expect(status, message);
    }
}

#[test]
fn users_find_their_own_uploads_only() {
    let receiver = Receiver::start_with_users(&["joe", "ann"], &[]);
    let file = Upload::new("secret", 10);
    let joe = basic("joe", PASSWORD);
    receiver.locate_with(&file, &[("Authorization", &joe)]);
    for (user, count) in [("joe", 1), ("ann", 0)] {
        let authorization = basic(user, PASSWORD);
        for query in ["search=sec", "dir=", "sort=size", "state=partial"] {
            let request = head("GET", &format!("/uploads?{query}"), "", 0);
            let list = receiver.exchange(&with(request, &[("Authorization", &authorization)]));
            let found = list.json["uploads"].as_array().unwrap().len();
            assert_eq!(found, count, "{user}: {query}");
        }
    }
}
