//! Files that must not go twice.

use super::{dialect, job, SegmentSize, Spec};
use crate::error::Error;
use crate::http::{Exchange, Request, Response};
use crate::protocol::script::{segment, Bytes};
use crate::protocol::{Job, Protocol};

/// An exchange that fails before a byte of the body is read.
struct Fails(Error);

impl Exchange for Fails {
    fn exchange(&self, _: Request<'_>) -> Result<Response, Error> {
        Err(self.0.clone())
    }
}

#[test]
fn an_empty_file_that_may_have_arrived_is_not_sent_again() {
    let (host, why) = (|| "h:80".to_owned(), || "x".to_owned());
    let lost = Error::ConnectionLost {
        host: host(),
        why: why(),
    };
    let late = Error::TimedOut {
        host: host(),
        what: why(),
    };
    let refused = Error::ConnectFailed {
        host: host(),
        why: why(),
    };
    let unknown = Error::ResolveFailed {
        host: host(),
        why: why(),
    };
    let damaged = Error::Tls {
        host: host(),
        why: why(),
        may_be_damage: true,
    };
    let spec = Spec::read(r#"{"body": "raw"}"#).unwrap();
    for (error, size, may_be) in [
        (&lost, 0, true),
        (&late, 0, true),
        (&Error::bad_response("x"), 0, true),
        (&refused, 0, false),
        (&unknown, 0, false),
        (&damaged, 0, false),
        // The exchange has read nothing of this one.
        (&lost, 1, false),
    ] {
        let job = Job {
            dir: String::new(),
            user: None,
            size,
            ..job()
        };
        let dialect = dialect(&spec, SegmentSize::Unlimited, &job).unwrap();
        let mut bytes = Bytes(&b"x"[..size as usize]);
        let sent = dialect.send(&Fails(error.clone()), &job, segment("", 0, &mut bytes));
        let told = sent.unwrap_err();
        let is_so = matches!(told, Error::MayBeStored { .. });
        assert_eq!(is_so, may_be, "{size}: {told}");
    }
}
