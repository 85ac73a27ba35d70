//! Where uploads are, and what another origin gets.

use resup::Client;
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{End, Read, ScriptedServer, Step};
use resup_test_support::tls::Identity;

use crate::{answer, client, methods, offsets, right, run, wrong_on, File, SEGMENT};

/// What only the endpoint's server may see.
fn with_secrets(client: &Client) {
    client.set_basic_auth("joe", "hunter2").unwrap();
    client.set_header("X-Api-Key", "k3y").unwrap();
    client.set_cookie("session", "c00kie").unwrap();
}

fn shows_secrets(head: &RequestHead) -> bool {
    let text = String::from_utf8_lossy(&head.raw).to_lowercase();
    ["authorization", "x-api-key", "cookie"]
        .iter()
        .any(|it| text.contains(it))
}

#[test]
fn another_origin_gets_the_bytes_but_no_secret() {
    let elsewhere = wrong_on("", 0, Step::new());
    let url = format!("http://{}/files/1", elsewhere.addr());
    let server = wrong_on("POST", u64::MAX, answer(201, &[("Location", &url)]));
    let client = client(&server.endpoint());
    with_secrets(&client);
    let file = File::new();
    let mut upload = file.upload(&client);
    upload.run().unwrap();
    assert_eq!(upload.remote().id(), Some(url));
    assert_eq!(offsets(&elsewhere), [0, SEGMENT, 2 * SEGMENT]);
    let heads = |server: &ScriptedServer| server.requests().into_iter().map(|it| it.head);
    assert!(heads(&server).all(|head| shows_secrets(&head)));
    assert!(!heads(&elsewhere).any(|head| shows_secrets(&head)));
}

#[test]
fn another_origin_that_asks_for_a_password_gets_none() {
    let challenge = ("WWW-Authenticate", "Basic realm=\"x\"");
    let elsewhere = wrong_on("PATCH", u64::MAX, answer(401, &[challenge]));
    let url = format!("http://{}/files/1", elsewhere.addr());
    let server = wrong_on("POST", u64::MAX, answer(201, &[("Location", &url)]));
    let client = client(&server.endpoint());
    with_secrets(&client);
    let error = File::new().upload(&client).run().unwrap_err();
    assert!(error.to_string().contains("401"), "{error}");
    let requests = elsewhere.requests();
    assert!(!requests.iter().any(|it| shows_secrets(&it.head)));
}

#[test]
fn a_redirect_of_the_creation_is_followed() {
    for status in [307, 308] {
        let mut at = 0;
        let server = ScriptedServer::start_with(move |head, _| {
            match (head.method.as_str(), head.target.as_str()) {
                ("POST", "/upload") => answer(status, &[("Location", "/a/b/")]),
                ("POST", "/a/b/") => answer(201, &[("Location", "c")]),
                _ => right(head, &mut at),
            }
        });
        run(&server).unwrap();
        let requests = server.requests();
        let mut patches = requests.iter().filter(|it| it.head.method == "PATCH");
        assert!(patches.all(|it| it.head.target == "/a/b/c"), "{requests:?}");
        assert_eq!(offsets(&server), [0, SEGMENT, 2 * SEGMENT]);
    }
}

#[test]
fn a_redirect_of_the_creation_to_another_origin_is_not_followed() {
    let elsewhere = wrong_on("", 0, Step::new());
    let url = format!("http://{}/files", elsewhere.addr());
    let server = wrong_on("POST", u64::MAX, answer(307, &[("Location", &url)]));
    let client = client(&server.endpoint());
    with_secrets(&client);
    let error = File::new().upload(&client).run().unwrap_err();
    assert!(error.to_string().contains(&url), "{error}");
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn an_upload_does_not_move() {
    for (method, status) in [
        ("PATCH", 307),
        ("PATCH", 301),
        ("HEAD", 307),
        ("PATCH", 204),
    ] {
        let elsewhere = wrong_on("", 0, Step::new());
        let url = format!("http://{}/files/2", elsewhere.addr());
        let headers = [("Location", url.as_str()), ("Upload-Offset", "1000")];
        let step = answer(status, &headers);
        let (mut at, mut lost) = (0, method != "HEAD");
        let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
            "PATCH" if !lost => {
                lost = true;
                Step::new().read(Read::All).end(End::Reset)
            }
            // One that is right but for its Location takes the bytes.
            this if this == method && status > 204 => step.clone(),
            "PATCH" if at == 0 => {
                at = SEGMENT;
                step.clone()
            }
            _ => right(head, &mut at),
        });
        let outcome = run(&server);
        // A Location in an answer to bytes means nothing.
        assert_eq!(outcome.is_ok(), status == 204, "{method} {status}");
        assert!(elsewhere.requests().is_empty(), "{method} {status}");
    }
}

#[test]
fn no_upload_goes_from_https_to_http() {
    let elsewhere = wrong_on("", 0, Step::new());
    let url = format!("http://{}/files/1", elsewhere.addr());
    let mut at = 0;
    let server = ScriptedServer::start_tls_with(Identity::new(), move |head, _| {
        match head.method.as_str() {
            "POST" => answer(201, &[("Location", &url)]),
            _ => right(head, &mut at),
        }
    });
    let client = client(&server.endpoint());
    client.set_ca_pem(server.ca_pem()).unwrap();
    let error = File::new().upload(&client).run().unwrap_err();
    assert!(error.to_string().contains("in clear"), "{error}");
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_state_file_of_another_server_is_not_used() {
    let file = File::new();
    let first = wrong_on(
        "PATCH",
        u64::MAX,
        Step::new().read(Read::All).end(End::Reset),
    );
    let hasty = client(&first.endpoint());
    hasty.set_retry_limit(0);
    file.upload(&hasty).run().unwrap_err();
    let second = wrong_on("", 0, Step::new());
    file.upload(&client(&second.endpoint())).run().unwrap();
    assert_eq!(methods(&second)[..2], ["OPTIONS", "POST"]);
}
