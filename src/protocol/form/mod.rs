//! Form resume, version 1: locate and send as ordinary HTML-form requests (docs/PROTOCOL.md).
#![forbid(unsafe_code)]

pub(crate) mod content_type;
pub(crate) mod multipart;
pub(crate) mod reply;
pub(crate) mod signature;

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use signature::Signer;

use super::{Answer, Job, Outcome, Protocol, Segment};
use crate::digest::hex;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{with_query, Body, Needs, Request, Response, Wire};
use crate::options::{FilenameStyle, LocateMethod};
use multipart::{Field, FilePart, Multipart};

/// The protocol's own field names.
const FIELDS: [&str; 19] = [
    "action",
    "id",
    "name",
    "size",
    "mtime",
    "dir",
    "user",
    "md5",
    "prefix",
    "prefix_md5",
    "offset",
    "length",
    "file",
    "restart",
    "sha256",
    "ts",
    "nonce",
    "sign",
    "sign_tail",
];

/// Whether a host's own field may not have this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// The form protocol against one endpoint.
#[derive(Debug)]
pub(crate) struct Form {
    pub endpoint: Endpoint,
    /// Where the last locate was answered, which is where sends go to.
    answered_at: RefCell<Endpoint>,
    pub locate_method: LocateMethod,
    pub file_name_style: FilenameStyle,
    pub signer: Option<Signer>,
}

/// No more redirects than this are followed.
const MOST_REDIRECTS: u32 = 5;

/// The longest URL of a `GET`. (`http` takes up to 65534 bytes, and `ureq` writes its line in one
/// piece of 64 KiB; this leaves room in it for the headers.)
const LONGEST_URL: usize = 60_000;

impl Protocol for Form {
    fn locate(&self, wire: &dyn Wire, job: &Job) -> Result<Answer, Error> {
        // Redirects are for this one: the next locate starts here again.
        let mut at = self.endpoint.clone();
        let written = RefCell::default();
        for _ in 0..=MOST_REDIRECTS {
            let url = at.uri().to_string();
            let write = || {
                let form = self.locate_form(job)?;
                written.replace(form.clone());
                match self.locate_method {
                    LocateMethod::Post => Ok(form),
                    LocateMethod::Get => short_enough(&url, form),
                }
            };
            let (method, content_type) = match self.locate_method {
                LocateMethod::Get => ("GET", None),
                LocateMethod::Post => ("POST", Some("application/x-www-form-urlencoded")),
            };
            let response = wire.exchange(Request {
                method,
                url: url.clone(),
                content_type: content_type.map(str::to_owned),
                headers: Vec::new(),
                body: Some(Body::Form(&write)),
                needs: Needs::Whole,
            })?;
            if !matches!(response.status, 307 | 308) {
                self.answered_at.replace(at);
                return reply::located(&response, job.size);
            }
            at = follow(&at, &response, &written.borrow())?;
        }
        Err(Error::BadResponse {
            why: format!("it redirects, and has done so {MOST_REDIRECTS} times"),
        })
    }

    fn send(&self, wire: &dyn Wire, job: &Job, segment: Segment<'_>) -> Result<Outcome, Error> {
        let mut fields = common_fields(job, "send");
        if let Some(id) = segment.id {
            fields.insert(1, ("id".into(), id.to_owned()));
        }
        fields.push(("offset".into(), segment.offset.to_string()));
        fields.push(("length".into(), segment.length.to_string()));
        if let Some(md5) = segment.restart {
            fields.push(("restart".into(), hex(md5)));
        }
        let sign = self.sign(&mut fields)?;
        let ends_file = segment.offset + segment.length == job.size;
        let mut body = Multipart::new(
            &fields,
            FilePart {
                field: "file",
                file_name: &job.name,
                content_type: &job.content_type,
                length: segment.length,
                bytes: segment.bytes,
                style: self.file_name_style,
            },
            |md5| {
                let name = if ends_file { "md5" } else { "prefix_md5" };
                let md5 = md5.map(|md5| (name.into(), md5.to_owned()));
                let mut fields: Vec<_> = md5.into_iter().collect();
                if let Some((signer, sign)) = self.signer.as_ref().zip(sign.as_deref()) {
                    fields.push(signer.tail(&fields, sign));
                }
                fields
            },
        )?;
        let response = wire.exchange(Request {
            method: "POST",
            url: self.answered_at.borrow().uri().to_string(),
            content_type: Some(body.content_type()),
            headers: Vec::new(),
            body: Some(Body::Stream {
                length: body.length(),
                bytes: &mut body,
            }),
            needs: Needs::Whole,
        })?;
        reply::sent(&response, job.size)
    }
}

impl Form {
    pub(crate) fn new(
        endpoint: Endpoint,
        locate_method: LocateMethod,
        file_name_style: FilenameStyle,
        signer: Option<Signer>,
    ) -> Self {
        Form {
            answered_at: RefCell::new(endpoint.clone()),
            endpoint,
            locate_method,
            file_name_style,
            signer,
        }
    }

    /// A locate's form, signed now.
    fn locate_form(&self, job: &Job) -> Result<String, Error> {
        let mut fields = common_fields(job, "locate");
        if let Some(md5) = &job.md5 {
            fields.push(("md5".into(), md5.clone()));
        }
        fields.push(("prefix".into(), "1".to_owned()));
        self.sign(&mut fields)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        Ok(form.extend_pairs(fields).finish())
    }

    /// Adds a signature to the fields, where there is a secret; gives `sign`.
    fn sign(&self, fields: &mut Vec<Field<'_>>) -> Result<Option<String>, Error> {
        let Some(signer) = &self.signer else {
            return Ok(None);
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let signature = signer.head(fields, now, crate::random::u128()?);
        let sign = signature[2].1.clone();
        fields.extend(signature);
        Ok(Some(sign))
    }
}

/// The form of a `GET` of `url`, unless there is too much of it.
fn short_enough(url: &str, form: String) -> Result<String, Error> {
    let length = with_query(url, &form).len();
    if length <= LONGEST_URL {
        return Ok(form);
    }
    Err(Error::InvalidArgument {
        what: "locate method",
        why: format!(
            "GET would make a URL of {length} bytes, and no more than {LONGEST_URL} can be: \
             set it to POST, or send fewer fields"
        ),
    })
}

/// Where an answer leads from here, if that is of the same origin. The `form` that was asked may
/// come back with it, in the query.
fn follow(at: &Endpoint, response: &Response, form: &str) -> Result<Endpoint, Error> {
    let target = response.location.as_deref().map(|target| {
        let bare = target.strip_suffix(form);
        bare.map_or(target, |bare| bare.trim_end_matches(['?', '&']))
    });
    let target = target.and_then(|target| at.resolve(target));
    let target = target.filter(|target| target.origin() == at.origin());
    target.ok_or_else(|| reply::refusal(response))
}

/// The fields that locate and send share, the host's own ones included.
fn common_fields<'a>(job: &'a Job, action: &str) -> Vec<Field<'a>> {
    let mut fields = vec![
        ("action".into(), action.to_owned()),
        ("name".into(), lines(&job.name).into_owned()),
        ("size".into(), job.size.to_string()),
    ];
    if let Some(mtime) = job.mtime {
        fields.push(("mtime".into(), mtime.to_string()));
    }
    fields.push(("dir".into(), job.dir.clone()));
    if let Some(user) = &job.user {
        fields.push(("user".into(), user.clone()));
    }
    let own = job.fields.iter();
    fields.extend(own.map(|(name, value)| (lines(name), lines(value).into_owned())));
    fields
}

/// Text with every line break as CR LF, as forms have it in both encodings (WHATWG HTML,
/// "converting an entry list to a list of name-value pairs").
fn lines(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return Cow::Borrowed(text);
    }
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(unix.replace('\n', "\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{FileBytes, State};
    use std::io::{self, Read};

    /// A wire without a network: keeps the request, gives a fixed answer.
    struct Recorder {
        seen: RefCell<Vec<(String, String, String)>>,
        answer: &'static str,
    }

    impl Wire for Recorder {
        fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
            let mut text = String::new();
            match request.body {
                Some(Body::Stream { length, bytes }) => {
                    bytes.read_to_string(&mut text).unwrap();
                    assert_eq!(text.len() as u64, length, "Content-Length is right");
                }
                Some(Body::Form(write)) => text = write().unwrap(),
                _ => panic!("not as it should be"),
            }
            self.seen
                .borrow_mut()
                .push((request.method.to_owned(), request.url, text));
            Ok(Response {
                status: 200,
                body: self.answer.as_bytes().to_vec(),
                ..Response::default()
            })
        }
    }

    struct Bytes(&'static [u8]);

    impl Read for Bytes {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }

    impl FileBytes for Bytes {
        fn has_digest(&self) -> bool {
            true
        }

        fn finish(&mut self) -> io::Result<Option<String>> {
            Ok(Some("0123456789abcdef0123456789abcdef".to_owned()))
        }
    }

    fn form(locate_method: LocateMethod) -> Form {
        let endpoint = Endpoint::parse("http://host/up?t=7").unwrap();
        Form::new(endpoint, locate_method, FilenameStyle::Whatwg, None)
    }

    fn job() -> Job {
        Job {
            name: "报告 \"1\".txt".to_owned(),
            size: 10,
            mtime: Some(1_700_000_000_123),
            md5: None,
            dir: "a/b".to_owned(),
            user: Some("joe".to_owned()),
            content_type: "text/plain".to_owned(),
            fields: vec![("tenant".to_owned(), "7&8".to_owned())],
        }
    }

    const LOCATE: &str = "action=locate&name=%E6%8A%A5%E5%91%8A+%221%22.txt&size=10\
        &mtime=1700000000123&dir=a%2Fb&user=joe&tenant=7%268&prefix=1";

    #[test]
    fn locate_by_post_is_an_urlencoded_form() {
        let wire = Recorder {
            seen: RefCell::default(),
            answer: r#"{"state":"partial","offset":4}"#,
        };
        let answer = form(LocateMethod::Post).locate(&wire, &job()).unwrap();
        assert_eq!((answer.state, answer.offset), (State::Partial, 4));
        let expected = ("POST".into(), "http://host/up?t=7".into(), LOCATE.into());
        assert_eq!(wire.seen.borrow()[..], [expected]);
    }

    #[test]
    fn locate_by_get_is_the_same_form() {
        let wire = Recorder {
            seen: RefCell::default(),
            answer: r#"{"state":"new"}"#,
        };
        form(LocateMethod::Get).locate(&wire, &job()).unwrap();
        let expected = ("GET".into(), "http://host/up?t=7".into(), LOCATE.into());
        assert_eq!(wire.seen.borrow()[..], [expected]);
    }

    #[test]
    fn line_breaks_are_the_same_in_both_requests() {
        assert_eq!(lines("a\nb\rc\r\nd"), "a\r\nb\r\nc\r\nd");
        let odd = Job {
            name: "a\nb".to_owned(),
            ..job()
        };
        assert_eq!(common_fields(&odd, "locate")[1].1, "a\r\nb");
        assert_eq!(common_fields(&odd, "send")[1].1, "a\r\nb");
    }

    fn send(offset: u64, bytes: &'static [u8]) -> String {
        let wire = Recorder {
            seen: RefCell::default(),
            answer: r#"{"state":"partial","offset":4}"#,
        };
        let segment = Segment {
            id: Some("k1"),
            offset,
            length: bytes.len() as u64,
            restart: (offset == 0).then_some([0xab; 16]),
            bytes: &mut Bytes(bytes),
        };
        form(LocateMethod::Post)
            .send(&wire, &job(), segment)
            .unwrap();
        let text = wire.seen.borrow()[0].2.clone();
        text
    }

    #[test]
    fn send_has_its_parts_in_the_order_of_the_protocol() {
        let text = send(6, b"6789");
        let names: Vec<_> = text
            .split("name=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .filter(|name| !name.contains(".txt"))
            .collect();
        assert_eq!(
            names,
            [
                "action", "id", "name", "size", "mtime", "dir", "user", "tenant", "offset",
                "length", "file", "md5"
            ]
        );
        assert!(text.contains("\r\n\r\n6789\r\n"));
    }

    #[test]
    fn a_send_that_does_not_end_the_file_carries_the_prefix_digest() {
        let text = send(2, b"2345");
        assert!(text.contains("name=\"prefix_md5\"\r\n\r\n0123456789abcdef"));
        assert!(!text.contains("name=\"md5\""));
        assert!(!text.contains("restart"));
        assert!(send(0, b"01").contains("name=\"restart\"\r\n\r\nababab"));
    }
}
