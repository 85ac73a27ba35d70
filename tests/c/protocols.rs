//! The protocol through the C ABI: which one is spoken, and what does not go with it.

use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{Request, ScriptedServer, Tus};

use super::one::One;
use super::settings::{accepting_server, SIZE};

fn tus_server() -> ScriptedServer {
    let mut tus = Tus::default();
    ScriptedServer::start_with(move |head, _| tus.step(head))
}

#[test]
fn the_protocol_that_is_set_is_spoken_and_by_default_the_servers() {
    let one = One::new();
    // The values of the setting, whether the server's protocol is tus, and what comes of it.
    for (protocol, is_tus, status, spoken) in [
        (None, false, 0, "form"),
        (None, true, 0, "tus"),
        (Some("0"), true, 0, "tus"),
        (Some("1"), false, 0, "form"),
        (Some("1"), true, 76, ""),
        (Some("2"), true, 0, "tus"),
        (Some("2"), false, 90, ""),
    ] {
        let server = match is_tus {
            true => tus_server(),
            false => accepting_server(),
        };
        let settings: Vec<&str> = protocol
            .iter()
            .flat_map(|it| ["client_set_protocol", it])
            .collect();
        let report = one.upload(&server.endpoint(), SIZE, &settings);
        let outcome = (report.number("status"), report.text("protocol"));
        assert_eq!(outcome, (status, spoken), "{protocol:?}: {report:?}");
        let first = &server.requests()[0].head.method;
        let asks = protocol == Some("2");
        assert_eq!(first == "OPTIONS", asks, "{protocol:?}: {first}");
    }
}

#[test]
fn a_protocol_without_what_another_setting_asks_for_is_refused() {
    let one = One::new();
    let server = tus_server();
    let upload = |settings: &[&str]| one.upload(&server.endpoint(), SIZE, settings);
    let set = ["client_set_protocol", "2"];
    for (setting, value, named) in [
        (
            "upload_set_digest_algorithm",
            "2",
            "digest algorithm SHA-256 (set_digest_algorithm) and protocol tus (set_protocol)",
        ),
        (
            "client_set_signing_secret",
            "geheim",
            "signing secret (set_signing_secret) and protocol tus (set_protocol)",
        ),
    ] {
        let report = upload(&[set[0], set[1], setting, value]);
        assert_eq!(report.number("status"), 15, "{report:?}");
        assert!(report.text("error").starts_with(named), "{report:?}");
        assert_eq!(server.requests().len(), 0, "nothing is sent");
    }
    // Where the protocol is found, it is the server that does not do what was asked for.
    let report = upload(&["upload_set_digest_algorithm", "2"]);
    assert_eq!(report.number("status"), 94, "{report:?}");
    let report = upload(&["client_set_signing_secret", "geheim"]);
    assert_eq!(report.number("status"), 90, "{report:?}");
    assert!(
        report.text("error").contains("nothing is signed"),
        "{report:?}"
    );
    let creates = |it: &&Request| it.head.header("upload-length").is_some();
    assert_eq!(server.requests().iter().filter(creates).count(), 0);
}

#[test]
fn the_receiver_takes_each_protocol() {
    let (one, receiver) = (One::new(), Receiver::start());
    for (protocol, spoken) in [("0", "form"), ("1", "form"), ("2", "tus"), ("3", "ietf")] {
        let settings = ["client_set_protocol", protocol, "upload_set_name", spoken];
        let report = one.upload(&receiver.endpoint(), SIZE, &settings);
        assert_eq!(report.number("status"), 0, "{report:?}");
        assert_eq!(report.text("protocol"), spoken);
    }
}
