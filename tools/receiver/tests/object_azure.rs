//! Files in Azure's blobs: Azurite, which `make servers` fetches.

#![cfg(unix)]

mod common;

use common::objects::{ask, upload, PART};
use common::{begin, check_prefix, cut, head, post_form, Receiver, Upload};
use resup_test_support::azure::Azurite;
use resup_test_support::chaos::ChaosProxy;

/// The number of bytes of a file that has several parts.
const SIZE: usize = 2 * PART + 3_000_000;

fn start(server: &Azurite, flags: &[&str]) -> (Receiver, ChaosProxy) {
    let proxy = ChaosProxy::clean(server.addr());
    let store = server.store(proxy.addr());
    let (name, value) = Azurite::access();
    let receiver = Receiver::start_changed(
        tempfile::tempdir().unwrap(),
        &[&["--store", &store], flags].concat(),
        move |command| {
            command.env(name, value);
        },
    );
    (receiver, proxy)
}

#[track_caller]
fn check(receiver: &Receiver, id: &str, file: &Upload) {
    let reply = receiver.get(&format!("/uploads/{id}/file"));
    assert!(
        reply.status == 200 && reply.body == file.content,
        "{}",
        reply.head
    );
}

#[test]
fn files_of_all_sizes_become_blobs_and_go() {
    let Some(server) = Azurite::start() else {
        return;
    };
    for layout in ["id", "tree"] {
        let (receiver, _proxy) = start(&server, &["--layout", layout]);
        let mut ids = Vec::new();
        for size in [0, 1, PART, SIZE] {
            let file = Upload::new(&format!("{size} ü"), size);
            let id = upload(&receiver, &file, usize::MAX);
            check(&receiver, &id, &file);
            ids.push(id);
        }
        let small = Upload::new("small", 1000);
        let reply = receiver.exchange(&small.store("blake3").build());
        ids.push(reply.expect_complete(1000).id());
        assert_eq!(server.keys().len(), ids.len());
        for id in ids {
            assert_eq!(receiver.delete(&format!("/uploads/{id}")).status, 204);
        }
        assert_eq!(server.keys(), [""; 0]);
    }
}

#[test]
fn uploads_go_on_after_breaks_of_all_kinds() {
    let Some(mut server) = Azurite::start() else {
        return;
    };
    let (mut receiver, proxy) = start(&server, &[]);
    let file = Upload::new("a", SIZE);
    let (id, _) = receiver.locate_ok(&file);
    cut(begin(&receiver, &file.send(&id, 0), PART + 100_000));
    let (_, offset) = check_prefix(&receiver, &file);
    assert_eq!(offset as usize, PART + 100_000);
    receiver.kill_and_restart();
    server.kill();
    proxy.cut_all();
    let reply = ask(&receiver, &file.send(&id, offset).build());
    assert!(reply.is_none_or(|reply| reply.status == 503));
    server.restart();
    proxy.set_target(server.addr());
    let id = upload(&receiver, &file, 5_000_000);
    check(&receiver, &id, &file);
    assert_eq!(server.keys(), [format!("some/where/files/{id}")]);
    // One that is discarded leaves no blob.
    let other = Upload::new("b", SIZE);
    let (id, _) = receiver.locate_ok(&other);
    cut(begin(&receiver, &other.send(&id, 0), PART + 100_000));
    let form = other.locate_form();
    let form = form.replace("action=locate", "action=discard");
    assert_eq!(receiver.exchange(&post_form(&form)).status, 200);
    assert_eq!(server.keys().len(), 1);
}

#[test]
fn downloads_go_to_the_store_where_that_is_wanted() {
    let Some(server) = Azurite::start() else {
        return;
    };
    let (receiver, proxy) = start(&server, &["--redirect-downloads"]);
    let file = Upload::new("a", 500_000);
    let id = upload(&receiver, &file, usize::MAX);
    let reply = ask(
        &receiver,
        &head("GET", &format!("/uploads/{id}/file"), "", 0),
    )
    .unwrap();
    assert_eq!((reply.status, reply.body.len()), (307, 0));
    let place = format!(
        "location: http://{}/devstoreaccount1/bucket/some/where/files/{id}?",
        proxy.addr()
    );
    assert!(reply.head.contains(&place), "{}", reply.head);
}
