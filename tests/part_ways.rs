//! Parts by TLS, through proxies, and with a login that ends meanwhile.

#[path = "common/scene.rs"]
mod scene;

use std::time::Duration;

use resup::Client;
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::dante::Dante;
use resup_test_support::files;
use resup_test_support::model::{Account, Flaw, Options};
use resup_test_support::receiver::Setup;
use resup_test_support::squid::Squid;

use scene::{slow, wait, watch, Scene, LARGE};

fn with_tls() -> Options {
    Options {
        tls: true,
        ..Options::newest()
    }
}

/// Uploads a file in parts, on several connections by way of `link`.
fn take(scene: &Scene, client: &Client, link: &ChaosProxy, what: &str) {
    let mut upload = scene.upload(client);
    watch(&mut upload);
    upload
        .run()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    scene.check(&upload);
    let connections = link.connections();
    assert!((3..=6).contains(&connections), "{what}: {connections}");
    assert_eq!(upload.remote().snapshot().attempts, 1, "{what}");
}

fn trusting(scene: &Scene) -> Client {
    let client = scene.client();
    client.set_ca_pem(scene.receiver.ca_pem()).unwrap();
    client
}

#[test]
fn parts_go_by_tls_and_through_proxies() {
    let (squid, dante) = (Squid::start(), Dante::start());
    let squid = squid.as_ref().map(|squid| ("http", squid.addr()));
    let dante = dante.as_ref().map(|dante| ("socks5", dante.addr()));
    let both = dante.map(|dante| (Some(dante), false));
    let ways = [squid, dante].into_iter().flatten();
    let ways = ways.map(|proxy| (Some(proxy), true)).chain(both);
    std::thread::scope(|scope| {
        for (proxy, tls) in ways.chain([(None, true)]) {
            scope.spawn(move || {
                let options = Options {
                    tls,
                    ..Options::newest()
                };
                let scene = Scene::with(options, LARGE, 0, |_, _| slow());
                let what = format!("{proxy:?}, TLS: {tls}");
                let Some((scheme, address)) = proxy else {
                    return take(&scene, &trusting(&scene), &scene.link, &what);
                };
                // A proxy takes more than a link carries, so the slow link leads to the proxy.
                let link = ChaosProxy::narrow(address, |_, _| slow(), 0);
                let client = scene::client(&scene.receiver.endpoint());
                if tls {
                    client.set_ca_pem(scene.receiver.ca_pem()).unwrap();
                }
                let url = format!("{scheme}://{}", link.addr());
                client.set_proxy(&url).unwrap();
                take(&scene, &client, &link, &what);
            });
        }
    });
}

#[test]
fn connections_by_tls_are_cut_amid_parts_and_lose_nothing() {
    let scene = Scene::with(with_tls(), LARGE, 0, |number, _| Faults {
        cut_up_after: (number % 2 == 1 && number < 8).then_some(400_000),
        ..slow()
    });
    let mut upload = scene.upload(&trusting(&scene));
    upload.run().unwrap();
    scene.check_content(&upload);
    let connections = scene.link.connections();
    // Every second one is cut, of the first eight.
    assert!(connections >= 4, "{connections}");
}

/// Makes a client that logs in by the form of a receiver with this address.
fn log_in(client: Client, address: std::net::SocketAddr) -> Client {
    client
        .set_login_form(&format!("http://{address}/login"))
        .unwrap();
    client.set_login_field("user", "joe").unwrap();
    client.set_login_field("password", "open sesame").unwrap();
    client
}

#[test]
fn parts_go_on_after_a_session_has_ended() {
    std::thread::scope(|scope| {
        // One of them has one session for each user, so that a login ends the one before.
        for flaw in [None, Some(Flaw::OneSession)] {
            scope.spawn(move || {
                let joe = Account {
                    user: "joe".to_owned(),
                    password: "open sesame".to_owned(),
                    token: "token".to_owned(),
                };
                let options = Options {
                    accounts: vec![joe],
                    flaw,
                    ..Options::newest()
                };
                let scene = Scene::with(options, LARGE, 0, |_, _| slow());
                let client = log_in(scene.client(), scene.link.addr());
                let mut upload = scene.upload(&client);
                watch(&mut upload);
                upload.start().unwrap();
                for connections in [2, 4] {
                    scene.wait_for_connections(connections);
                    std::thread::sleep(Duration::from_millis(300));
                    scene.receiver.end_sessions();
                }
                wait(&mut upload).unwrap_or_else(|error| panic!("{flaw:?}: {error}"));
                scene.check(&upload);
                let end = upload.remote().snapshot();
                assert_eq!(end.attempts, 1, "{flaw:?}");
                // A short part goes out without waiting for the server, which may refuse it meanwhile.
                let again = end.bytes_sent - LARGE;
                assert!(again < LARGE / 10, "{flaw:?}: {again}");
            });
        }
    });
}

#[test]
fn parts_to_the_real_receiver_go_on_after_a_session_has_ended() {
    let receiver = Setup::new().start();
    receiver.admin(&["user", "add", "joe"], "open sesame");
    let link = ChaosProxy::narrow(receiver.addr(), |_, _| slow(), 0);
    let client = scene::client(&format!("http://{}/upload", link.addr()));
    let client = log_in(client, link.addr());
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    files::make(&path, LARGE, 3).unwrap();
    let mut upload = resup::Upload::from_file(&client, &path).unwrap();
    upload.start().unwrap();
    while link.connections() < 3 {
        std::thread::sleep(Duration::from_millis(5));
    }
    // Ends all sessions.
    receiver.admin(&["user", "passwd", "joe"], "open sesame");
    wait(&mut upload).unwrap();
    let id = upload.remote().id().unwrap();
    files::assert_same(&path, &receiver.stored_file(&id));
    assert!(receiver.stderr().contains("status=401"), "it did not end");
}
