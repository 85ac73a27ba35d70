//! Sessions of TLS, which later connections of a client resume, behind a real nginx. (It uses OpenSSL.)

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use resup::{Client, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::nginx::Nginx;
use resup_test_support::tls::{Authority, Identity};

/// A receiver behind an nginx that notes of each request whether its connection resumed a session.
struct Scene {
    nginx: Nginx,
    _receiver: ModelReceiver,
    authority: Authority,
    clients: Authority,
    log: tempfile::TempDir,
}

impl Scene {
    /// Makes the scene, with a version of TLS and more directives; `None` without nginx.
    fn new(version: &str, directives: &str) -> Option<Self> {
        let (authority, clients) = (Authority::new(), Authority::new());
        let log = tempfile::tempdir().unwrap();
        let receiver = ModelReceiver::with(Options::newest());
        let identity = Identity::of(authority.certify(), &authority).for_clients_of(&clients);
        let directives = format!(
            "client_max_body_size 0;\nproxy_request_buffering off;\n\
             root {log};\naccess_log {log}/resumed-$ssl_session_reused;\n{directives}\n",
            log = log.path().display()
        );
        let version = format!("ssl_protocols {version};\n");
        let upstream = receiver.addr();
        let nginx = Nginx::start_tls_with(upstream, &version, &directives, &identity)?;
        Some(Scene {
            nginx,
            _receiver: receiver,
            authority,
            clients,
            log,
        })
    }

    fn client_at(&self, addr: SocketAddr) -> Client {
        let client = Client::new(&format!("https://{addr}/upload")).unwrap();
        let short = Duration::from_millis(5);
        client.set_retry_backoff(short, short).unwrap();
        client.set_ca_pem(self.authority.pem()).unwrap();
        self.identify(&client);
        client
    }

    fn client(&self) -> Client {
        self.client_at(self.nginx.addr())
    }

    /// Gives a client another certificate.
    fn identify(&self, client: &Client) {
        let dir = tempfile::tempdir().unwrap();
        let (pem, key) = self.clients.certify().write(dir.path(), "client");
        client.set_client_certificate(&pem, &key).unwrap();
    }

    /// Gives how many requests there were so far on connections that did not resume a session, and on those that
    /// did; waits for so many.
    fn requests(&self, count: usize) -> [usize; 2] {
        let noted = || {
            ["resumed-.", "resumed-r"].map(|name| {
                let text = std::fs::read_to_string(self.log.path().join(name));
                text.map_or(0, |text| text.lines().count())
            })
        };
        let until = Instant::now() + Duration::from_secs(20);
        // A request is noted when it is over.
        while noted().iter().sum::<usize>() < count && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        noted()
    }

    #[track_caller]
    fn check(&self, wanted: [usize; 2], when: &str) {
        assert_eq!(self.requests(wanted.iter().sum()), wanted, "{when}");
    }
}

fn upload(client: &Client, name: &str) {
    // Known bytes would not be sent again.
    let content = files::bytes(1_500_000, name.len() as u64);
    let mut upload = Upload::from_memory(client, content, name).unwrap();
    upload.run().unwrap();
}

/// The versions of TLS.
const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

/// Each request has a connection of its own.
const NO_KEEPALIVE: &str = "keepalive_timeout 0;";

#[test]
fn later_connections_of_a_client_resume_a_session_and_those_of_another_client_do_not() {
    for version in VERSIONS {
        let Some(scene) = Scene::new(version, NO_KEEPALIVE) else {
            return;
        };
        let one = scene.client();
        for name in ["a", "bb", "ccc"] {
            upload(&one, name);
        }
        scene.check([1, 5], version);
        upload(&scene.client(), "dddd");
        scene.check([2, 6], version);
    }
}

#[test]
fn no_session_outlives_the_settings_that_it_was_made_with() {
    type Change = fn(&Scene, &Client);
    let changes: [(&str, Change); 4] = [
        ("verify no longer", |_, client| client.set_tls_verify(false)),
        ("verify again", |_, client| client.set_tls_verify(true)),
        ("one more root", |_, client| {
            client.set_ca_pem(Authority::new().pem()).unwrap()
        }),
        ("another certificate", |scene, client| {
            scene.identify(client)
        }),
    ];
    for version in VERSIONS {
        let Some(scene) = Scene::new(version, NO_KEEPALIVE) else {
            return;
        };
        let client = scene.client();
        upload(&client, "at first");
        let mut wanted = [1, 1];
        for (name, change) in changes {
            scene.check(wanted, &format!("{version}: before {name}"));
            change(&scene, &client);
            upload(&client, name);
            wanted = wanted.map(|count| count + 1);
        }
        scene.check(wanted, version);
    }
}

#[test]
fn a_session_is_resumed_after_a_break() {
    for version in VERSIONS {
        let Some(scene) = Scene::new(version, "") else {
            return;
        };
        let cut_first = |number, _: &mut fastrand::Rng| Faults {
            cut_up_after: (number == 0).then_some(500_000),
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(scene.nginx.addr(), cut_first, 0);
        upload(&scene.client_at(proxy.addr()), "broken");
        assert_eq!(proxy.connections(), 2);
        let [new, resumed] = scene.requests(4);
        assert!(new == 2 && resumed >= 2, "{version}: {new} {resumed}");
    }
}
