//! What changes in an object store, or in how it is used, while the receiver does not look.

#![cfg(unix)]

mod common;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use common::objects::{address, ask, upload, Scene, PART};
use common::{begin, check_prefix, cut, head, Upload};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::s3::{Kind, S3Server, ALL};

#[test]
fn an_upload_goes_on_under_another_layout() {
    for kind in ALL {
        for (before, after) in [("id", "tree"), ("tree", "id")] {
            let Some(mut scene) = Scene::start(kind, &["--layout", before]) else {
                break;
            };
            let file = Upload::new("a", PART + 3000);
            let (id, _) = scene.receiver.locate_ok(&file);
            cut(begin(&scene.receiver, &file.send(&id, 0), PART + 1000));
            let (_, offset) = check_prefix(&scene.receiver, &file);
            assert_eq!(offset as usize, PART + 1000);
            let store = address(&scene.proxy);
            let flags = ["--store", &store, "--layout", after];
            scene.receiver.set_flags(&flags);
            scene.receiver.kill_and_restart();
            let reply = scene.receiver.send_rest(&file, &id, offset);
            reply.expect_complete(file.content.len() as u64);
            scene.check(&id, &file);
            let place = if after == "tree" { "_/a" } else { &id };
            check_prefix(&scene.receiver, &file);
            scene.check_nothing_else(&[place]);
            let target = format!("/uploads/{id}");
            assert_eq!(scene.receiver.delete(&target).status, 204);
            scene.check_nothing_else(&[]);
        }
    }
}

#[test]
fn a_finished_file_is_moved_to_its_place_under_another_layout() {
    let Some(mut scene) = Scene::start(Kind::Versity, &["--layout", "tree"]) else {
        return;
    };
    scene.receiver.kill_and_restart_crashing("after-finish");
    let file = Upload::new("a", 5000);
    let (id, _) = scene.receiver.locate_ok(&file);
    ask(&scene.receiver, &file.send(&id, 0).build());
    scene.receiver.wait();
    let store = address(&scene.proxy);
    scene.receiver.set_flags(&["--store", &store]);
    scene.receiver.kill_and_restart();
    scene.check(&id, &file);
    scene.check_nothing_else(&["_/a"]);
}

fn tails(server: &S3Server) -> Vec<String> {
    let mut keys = server.keys();
    keys.retain(|key| key.ends_with(".tail"));
    keys
}

#[test]
fn no_tail_has_the_key_of_another_and_a_short_one_is_lost() {
    for kind in ALL {
        let Some(mut scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let file = Upload::new("a", PART + 5000);
        let (id, mut offset) = scene.receiver.locate_ok(&file);
        let mut seen: Vec<String> = Vec::new();
        for most in [PART + 1000, 1000, 1000] {
            cut(begin(&scene.receiver, &file.send(&id, offset), most));
            (_, offset) = check_prefix(&scene.receiver, &file);
            let now = tails(&scene.server);
            assert!(now.len() == 1 && !seen.contains(&now[0]), "{now:?}");
            seen.extend(now);
        }
        // A request that comes late brings back an old one.
        scene.server.put(&seen[0], "late");
        let reply = scene
            .receiver
            .exchange(&file.send(&id, offset).limit(500).build());
        assert_eq!((reply.status, reply.offset()), (200, offset + 500));
        scene.receiver.kill_and_restart();
        let now = tails(&scene.server);
        assert!(now.len() == 1 && !seen.contains(&now[0]), "{now:?}");
        scene.server.put(&now[0], "short");
        let request = file.send(&id, offset + 500).build();
        assert_eq!(ask(&scene.receiver, &request).unwrap().status, 503);
        let id = upload(&scene.receiver, &file, usize::MAX);
        scene.check(&id, &file);
        assert!(scene.log().contains("the upload begins again"));
        scene.check_nothing_else(&[&id]);
    }
}

#[test]
fn uploads_in_parts_of_other_programs_stay() {
    for kind in ALL {
        let Some(mut scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let file = Upload::new("a", 1000);
        let id = upload(&scene.receiver, &file, usize::MAX);
        scene.server.begin(&format!("some/where/backup/{id}"));
        scene.server.begin(&format!("some/where/files/{id}"));
        scene.receiver.kill_and_restart();
        assert_eq!(scene.server.unfinished(), 1);
        scene.check(&id, &file);
    }
}

#[test]
fn an_object_that_cannot_be_moved_ends_no_start() {
    let Some(mut scene) = Scene::start(Kind::Versity, &["--layout", "tree"]) else {
        return;
    };
    scene.receiver.kill_and_restart_crashing("after-finish");
    let file = Upload::new("a", 5000);
    let (id, _) = scene.receiver.locate_ok(&file);
    ask(&scene.receiver, &file.send(&id, 0).build());
    scene.receiver.wait();
    // A file of versitygw is no directory.
    scene.server.put("some/where/files/_/a/b", "foreign");
    scene.receiver.kill_and_restart();
    let other = Upload::new("other", 1000);
    let other_id = upload(&scene.receiver, &other, usize::MAX);
    scene.check(&other_id, &other);
    assert!(scene.log().contains("cannot drop all"), "{}", scene.log());
    let keys = scene.server.keys();
    let working = format!("some/where/partial/{id}");
    assert!(keys.contains(&working), "{keys:?}");
}

type Work = Box<dyn FnOnce() + Send>;

/// Passes connections on to a server, and does some work before a request that begins like this gets there.
fn pass_on(server: SocketAddr, request: String, work: Arc<Mutex<Option<Work>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut server = TcpStream::connect(server).unwrap();
            let (mut back, mut from) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut back));
            let (request, work) = (request.clone(), work.clone());
            thread::spawn(move || {
                let mut bytes = [0; 16 * 1024];
                while let Ok(count @ 1..) = client.read(&mut bytes) {
                    if bytes.starts_with(request.as_bytes()) {
                        if let Some(work) = work.lock().unwrap().take() {
                            work();
                        }
                    }
                    if server.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

#[test]
fn a_download_is_never_of_the_file_that_comes_to_the_place_meanwhile() {
    for kind in ALL {
        let Some(server) = S3Server::start(kind) else {
            continue;
        };
        let work = Arc::new(Mutex::new(None::<Work>));
        let request = "GET /bucket/some/where/files/_/a ".to_owned();
        let passed = pass_on(server.addr(), request, work.clone());
        let scene = Scene::with(server, ChaosProxy::clean(passed), &["--layout", "tree"]);
        let file = Upload::new("a", 6);
        let id = upload(&scene.receiver, &file, usize::MAX);
        let download = head("GET", &format!("/uploads/{id}/file"), "", 0);
        thread::scope(|scope| {
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let (tell, told) = std::sync::mpsc::channel::<()>();
            *work.lock().unwrap() = Some(Box::new(move || {
                go.send(()).unwrap();
                told.recv().unwrap();
            }));
            let server = &scene.server;
            scope.spawn(move || {
                if wait.recv().is_ok() {
                    server.put("some/where/files/_/a", "others");
                    tell.send(()).unwrap();
                }
            });
            let reply = ask(&scene.receiver, &download).unwrap();
            assert!(reply.body != b"others");
            assert_eq!(reply.status, 503, "{:?}", reply.json);
            assert!(work.lock().unwrap().take().is_none(), "nothing was asked");
        });
    }
}
