//! A server whose uploads have URLs, without a network.

use std::sync::{Arc, Mutex};

use base64::prelude::{Engine as _, BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::http::Body;

/// The fate of a request that creates an upload or appends to one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// The connection is lost after so many bytes of the body, which arrive.
    LostAfter(usize),
    /// The request arrives whole, and its answer is lost.
    LostAnswer,
    /// A byte of the body is damaged.
    Damaged,
    /// The server forgets the upload.
    Forgotten,
    /// Another request has the upload.
    Locked,
    /// Nothing.
    None,
}

#[derive(Default)]
pub(super) struct Upload {
    pub held: Vec<u8>,
    /// The size that the client has told.
    size: Option<usize>,
    /// Whether a flag completes it.
    has_flag: bool,
    pub is_complete: bool,
    pub is_gone: bool,
    /// Whether it is a section of a file.
    pub is_section: bool,
    /// The last offset that an answer gave; no later send may begin before it.
    told: usize,
    /// How many bytes at the end are dropped after the next question.
    unchecked: usize,
}

/// A server without a network.
#[derive(Default)]
pub(super) struct Server {
    pub uploads: Vec<Upload>,
    /// The fates of the next requests, the last one first.
    pub fates: Vec<Fate>,
    pub checks: bool,
    /// Whether a cut send with a checksum is dropped only after the next question.
    pub drops_late: bool,
    /// Whether it joins sections, and whether it only says so.
    pub joins: bool,
    pub refuses: bool,
    /// Whether a cut send is kept, and each question is answered with a digest.
    pub proves: bool,
    /// Whether the next cut send is kept with a wrong byte.
    pub spoils: bool,
    /// How many questions there were.
    pub questions: usize,
}

type Fields = Vec<(&'static str, String)>;

impl Server {
    fn answer(&mut self, mut request: Request<'_>) -> Result<(u16, Fields), Error> {
        let field = |name: &str| {
            let mut fields = request.headers.iter();
            let found = fields.find(|(other, _)| other == name);
            found.map(|(_, value)| value.text().to_owned())
        };
        let checksum = field("upload-checksum");
        let flag = field("upload-complete");
        let offset = field("upload-offset").map(|offset| offset.parse::<usize>().unwrap());
        let size = field("upload-length").map(|size| size.parse::<usize>().unwrap());
        if request.method == "OPTIONS" {
            let checks = if self.checks { ",checksum" } else { "" };
            let joins = if self.joins {
                ",concatenation,termination"
            } else {
                ""
            };
            return Ok((
                204,
                vec![
                    (
                        "tus-extension",
                        format!("creation,creation-defer-length{checks}{joins}"),
                    ),
                    ("tus-checksum-algorithm", "sha1,sha256".to_owned()),
                ],
            ));
        }
        if request.method == "POST" {
            let has_flag = flag.is_some();
            let concat = field("upload-concat");
            if let Some(list) = concat.as_deref().and_then(|it| it.strip_prefix("final;")) {
                let Some(joined) = self.join(list) else {
                    self.fates.pop();
                    return Ok((400, Vec::new()));
                };
                self.uploads.push(joined);
            } else {
                assert!(has_flag || size.is_some() || field("upload-defer-length").is_some());
                self.uploads.push(Upload {
                    is_complete: size == Some(0) && !has_flag,
                    size,
                    has_flag,
                    is_section: concat.is_some(),
                    ..Upload::default()
                });
            }
            if let Some(Fate::LostAnswer | Fate::LostAfter(_)) = self.fates.pop() {
                return Err(super::server::connection_lost());
            }
            let location = format!("/files/{}", self.uploads.len() - 1);
            return Ok((201, vec![("location", location)]));
        }
        let number = request.url.rsplit('/').next().unwrap();
        let upload = &mut self.uploads[number.parse::<usize>().unwrap()];
        if upload.is_gone {
            return Ok((404, Vec::new()));
        }
        if request.method == "DELETE" {
            upload.is_gone = true;
            return Ok((204, Vec::new()));
        }
        if request.method == "HEAD" {
            self.questions += 1;
            let mut answer = fields(upload);
            answer.extend(match upload.size {
                Some(size) => Some(("upload-length", size.to_string())),
                None => (!upload.has_flag).then(|| ("upload-defer-length", "1".to_owned())),
            });
            if self.proves && !upload.held.is_empty() {
                let digest = Digest::of(Algorithm::Blake3, &upload.held);
                let digest = format!("blake3 {}", BASE64_STANDARD.encode(digest.bytes()));
                answer.push(("upload-held-digest", digest));
            }
            upload.told = upload.held.len() - std::mem::take(&mut upload.unchecked);
            upload.held.truncate(upload.told);
            return Ok((200, answer));
        }
        assert_eq!(request.method, "PATCH");
        let fate = self.fates.pop();
        match fate {
            Some(Fate::Forgotten) => {
                upload.is_gone = true;
                return Ok((404, Vec::new()));
            }
            Some(Fate::Locked) => return Ok((423, Vec::new())),
            _ => {}
        }
        let offset = offset.unwrap();
        assert!(offset >= upload.told, "confirmed bytes are sent again");
        assert!(offset <= upload.held.len(), "the file gets a hole");
        if offset != upload.held.len() {
            return Ok((409, Vec::new()));
        }
        if let Some(size) = size {
            assert_eq!(upload.size, None, "the size is told twice");
            upload.size = Some(size);
        }
        let Some(Body::Stream { length, bytes }) = &mut request.body else {
            panic!("a PATCH without a body");
        };
        let arrives = match fate {
            Some(Fate::LostAfter(bytes)) => bytes.min(*length as usize),
            _ => *length as usize,
        };
        let mut body = vec![0; arrives];
        bytes.read_exact(&mut body).unwrap();
        let is_whole = arrives as u64 == *length;
        if let (Some(Fate::Damaged), Some(_), Some(byte)) = (fate, &checksum, body.first_mut()) {
            *byte ^= 1;
            return Ok((460, Vec::new()));
        }
        // With a checksum all of the body counts, or nothing.
        if let (false, true, Some(byte)) = (is_whole, self.spoils, body.first_mut()) {
            *byte ^= 1;
            self.spoils = false;
        }
        if is_whole || checksum.is_none() || self.drops_late || self.proves {
            upload.held.extend_from_slice(&body);
        }
        if !is_whole && checksum.is_some() && self.drops_late {
            upload.unchecked = body.len();
        }
        upload.is_complete |= is_whole
            && match &flag {
                Some(flag) => flag == "?1",
                None => Some(upload.held.len()) == upload.size,
            };
        if !is_whole || matches!(fate, Some(Fate::LostAnswer)) {
            return Err(super::server::connection_lost());
        }
        upload.told = upload.held.len();
        Ok((204, fields(upload)))
    }

    /// Joins the sections at these URLs, if it does that and they are whole.
    fn join(&self, urls: &str) -> Option<Upload> {
        let mut held = Vec::new();
        for url in urls.split(' ') {
            let number = url.rsplit('/').next()?;
            let section = &self.uploads[number.parse::<usize>().ok()?];
            if self.refuses || section.is_gone || !section.is_complete {
                return None;
            }
            assert!(section.is_section);
            held.extend_from_slice(&section.held);
        }
        Some(Upload {
            told: held.len(),
            size: Some(held.len()),
            held,
            is_complete: true,
            ..Upload::default()
        })
    }
}

fn fields(upload: &Upload) -> Fields {
    let flag = if upload.is_complete { "?1" } else { "?0" };
    vec![
        ("upload-offset", upload.held.len().to_string()),
        ("upload-complete", flag.to_owned()),
    ]
}

/// A connector to the server.
#[derive(Clone)]
pub(super) struct To(pub Arc<Mutex<Server>>);

impl Exchange for To {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let (status, fields) = self.0.lock().unwrap().answer(request)?;
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(&value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        Ok(Response {
            status,
            headers,
            ..Response::default()
        })
    }
}

impl Connector for To {
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop> {
        Ok(Box::new(self.clone()))
    }
}
