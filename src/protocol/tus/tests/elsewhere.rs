//! Uploads that are elsewhere, or forbidden, and a PATCH that does not come through.

use super::*;
use crate::http::credentials::Credentials;
use crate::http::session::{AuthHistory, SessionExchange, SessionState};

#[test]
fn the_next_run_of_a_client_knows_that_patch_does_not_come_through() {
    let (offers, known) = (OnceLock::from(Offers::default()), std::sync::Arc::default());
    let send = |reply: Reply<'_>| {
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers).share(&known);
        let script = Script::new(&[reply]);
        let outcome = tus.send(&script, &job(), segment(URL, 4, &mut Bytes(b"56789")));
        let passes = outcome.map_err(|error| error.is_passing());
        (script.lines().remove(0), passes.map(drop))
    };
    let (patch, post) = (format!("PATCH {URL}"), format!("POST {URL}"));
    let done: Reply<'_> = (204, &[("upload-offset", "9")]);
    assert_eq!(send((405, &[])), (patch.clone(), Err(true)));
    assert_eq!(send(done), (post.clone(), Ok(())));
    // Where that does not come through either, it was something else.
    assert_eq!(send((405, &[])), (post, Err(false)));
    assert_eq!(send(done), (patch, Ok(())));
}

#[test]
fn an_upload_that_has_moved_is_followed_within_its_origin() {
    let to: Reply<'_> = (307, &[("location", "/new/1")]);
    let has: Reply<'_> = (200, &[("upload-offset", "4")]);
    let done: Reply<'_> = (204, &[("upload-offset", "9")]);
    let append = |tus: &Tus<'_>, script: &Script| {
        tus.send(script, &job(), segment(URL, 4, &mut Bytes(b"56789")))
    };
    let lines = with(&[to, has, done], |tus, script| {
        let answer = tus.locate(script, &job(), Some(URL)).unwrap();
        assert_eq!((answer.id.as_deref(), answer.offset), (Some(URL), 4));
        assert!(append(tus, script).is_ok());
        script.lines()
    });
    let new = "http://host/new/1";
    assert_eq!(
        lines,
        [
            format!("HEAD {URL}"),
            format!("HEAD {new}"),
            format!("PATCH {new}")
        ]
    );
    // The bytes of a PATCH are gone, so the next attempt goes there.
    let lines = with(&[to, has, done], |tus, script| {
        let error = append(tus, script).unwrap_err();
        assert!(error.is_passing(), "{error}");
        let words = "the upload is at http://host/new/1 now; the next attempt goes there";
        assert!(error.to_string().contains(words), "{error}");
        tus.locate(script, &job(), Some(URL)).unwrap();
        assert!(append(tus, script).is_ok());
        script.lines()
    });
    assert_eq!(
        lines,
        [
            format!("PATCH {URL}"),
            format!("HEAD {new}"),
            format!("PATCH {new}")
        ]
    );
    let (answer, lines) = locate(&[to; 6], Some(URL));
    assert_eq!(lines.len(), 6);
    let error = answer.unwrap_err().to_string();
    assert!(error.contains("more than 5 times"), "{error}");
    let other: Reply<'_> = (308, &[("location", "http://other/1")]);
    for error in [
        locate(&[other], Some(URL)).0.unwrap_err(),
        send(&[other]).0.unwrap_err(),
    ] {
        assert!(!error.is_passing(), "{error}");
        assert!(
            error.to_string().contains("it points to http://other/1"),
            "{error}"
        );
    }
}

#[test]
fn a_401_of_another_origin_says_that_the_password_was_not_sent() {
    let at = "http://other:81/u/1";
    let no: Reply<'_> = (401, &[("www-authenticate", "Basic realm=x")]);
    with(&[no, no], |tus, script| {
        let asked = tus.locate(script, &job(), Some(at)).map(drop);
        let sent = tus
            .send(script, &job(), segment(at, 4, &mut Bytes(b"56789")))
            .map(drop);
        for error in [asked.unwrap_err(), sent.unwrap_err()] {
            let words =
                "the upload's URL is at http://other:81, and the password and header fields for \
                         http://host:80 were not sent there";
            assert!(error.to_string().contains(words), "{error}");
        }
    });
}

/// The exchange of a client with a login form.
struct ToScript<'a>(&'a Script);

impl Exchange for ToScript<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        self.0.exchange(request)
    }
}

#[test]
fn an_upload_that_stays_forbidden_after_another_login_begins_anew() {
    let endpoint = Endpoint::parse(AT).unwrap();
    let mut credentials = Credentials::default();
    credentials
        .set_login("http://host/login", &endpoint.origin())
        .unwrap();
    credentials.set_login_field("user", "joe").unwrap();
    let login: Reply<'_> = (204, &[]);
    let made: Reply<'_> = (201, &[("location", "2")]);
    for (replies, is_new) in [
        (&[login, (403, &[]), login, made][..], true),
        // The login itself is refused.
        (&[(403, &[])], false),
    ] {
        with(replies, |tus, script| {
            let session = SessionExchange {
                inner: Box::new(ToScript(script)),
                credentials: &credentials,
                endpoint: &endpoint,
                state: &SessionState::default(),
                history: &AuthHistory::default(),
            };
            let answer = tus.locate(&session, &job(), Some(URL));
            assert_eq!(answer.is_ok(), is_new, "{answer:?}");
            script.lines();
        });
    }
}
