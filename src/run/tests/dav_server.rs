//! A WebDAV server without a network.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::server::connection_lost;
use super::*;
use crate::http::Body;

/// The URL's path of the file that is uploaded.
pub(super) const TARGET: &str = "/files/f";

/// The fate of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Nothing,
    /// The connection is lost after so many bytes of the body, which arrive.
    LostAfter(usize),
    /// The request arrives whole, and its answer is lost.
    LostAnswer,
    /// Another program has a lock.
    Locked,
    /// Another program has put a file of so many bytes at the target just before.
    Replaced(usize),
}

/// What a server makes of a range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Takes {
    Put,
    Patch,
    /// Ranges are ignored: the body is the whole file.
    Nothing,
    /// A range gets this status.
    Refuses(u16),
}

pub(super) struct Server {
    pub files: BTreeMap<String, Vec<u8>>,
    pub takes: Takes,
    /// The fates of the next requests, the last one first.
    pub fates: Vec<Fate>,
    /// Whether entity tags change with each answer.
    pub has_odd_tags: bool,
    /// Whether files can be read.
    pub gives: bool,
    /// How often a tag was given, if these change each time.
    pub tags: u64,
    /// How many requests have changed the target.
    pub version: u64,
    /// How many bytes of the target the client was told of.
    pub told: usize,
    pub puts: usize,
}

type Fields = Vec<(&'static str, String)>;
type Reply = (u16, Fields, Vec<u8>);

impl Server {
    pub fn new(takes: Takes) -> Self {
        Server {
            files: BTreeMap::new(),
            takes,
            fates: Vec::new(),
            has_odd_tags: false,
            gives: true,
            tags: 0,
            version: 0,
            told: 0,
            puts: 0,
        }
    }

    fn answer(&mut self, mut request: Request<'_>) -> Result<Reply, Error> {
        let fate = self.fates.pop().unwrap_or(Fate::Nothing);
        if let Fate::Replaced(length) = fate {
            self.version += 1;
            self.files.insert(TARGET.to_owned(), vec![7; length]);
        }
        let field = |name: &str| {
            let mut fields = request.headers.iter();
            let found = fields.find(|(other, _)| other == name);
            found.map(|(_, value)| value.text().to_owned())
        };
        let fields = [
            "content-range",
            "x-update-range",
            "range",
            "if-match",
            "if-none-match",
        ];
        let [content, update, range, matches, none] = fields.map(field);
        let path = request.url.strip_prefix("http://host").unwrap().to_owned();
        let reply = match request.method {
            "OPTIONS" if self.takes == Takes::Patch => {
                let methods = "GET,PUT,PATCH".to_owned();
                Ok((
                    204,
                    vec![("allow", methods), ("dav", "1".to_owned())],
                    Vec::new(),
                ))
            }
            "OPTIONS" => Ok((200, vec![("dav", "1,2".to_owned())], Vec::new())),
            "DELETE" if matches!(fate, Fate::Locked) => Ok((423, Vec::new(), Vec::new())),
            "DELETE" => Ok((
                if self.files.remove(&path).is_some() {
                    204
                } else {
                    404
                },
                Vec::new(),
                Vec::new(),
            )),
            "HEAD" => Ok(self.head(&path)),
            "GET" => Ok(self.get(&path, range)),
            method => {
                let tag = self.tag();
                if matches!(fate, Fate::Locked) {
                    return Ok((423, Vec::new(), Vec::new()));
                }
                let is_there = self.files.contains_key(&path);
                let is_right = |wanted: &String| wanted == "*" || *wanted == tag;
                if is_there && none.is_some()
                    || matches.is_some_and(|it| !is_there || !is_right(&it))
                {
                    return Ok((412, Vec::new(), Vec::new()));
                }
                let mut body = Vec::new();
                let (length, bytes): (u64, &mut dyn Read) = match &mut request.body {
                    Some(Body::Text(text)) => (text.len() as u64, text),
                    Some(Body::Stream { length, bytes }) => (*length, &mut **bytes),
                    _ => panic!("{method} without a body"),
                };
                let arrives = match fate {
                    Fate::LostAfter(bytes) => (bytes as u64).min(length),
                    _ => length,
                };
                // One byte more shows a body that is longer than it says.
                let most = if arrives == length {
                    length + 1
                } else {
                    arrives
                };
                bytes.take(most).read_to_end(&mut body).unwrap();
                assert_eq!(body.len() as u64, arrives, "Content-Length is right");
                let status = self.put(&path, method, content.or(update), body);
                match arrives == length {
                    true => Ok((status, Vec::new(), Vec::new())),
                    false => Err(connection_lost()),
                }
            }
        };
        match fate {
            Fate::LostAnswer | Fate::LostAfter(_) => Err(connection_lost()),
            _ => reply,
        }
    }

    fn tag(&mut self) -> String {
        self.tags += u64::from(self.has_odd_tags);
        format!("\"{}-{}\"", self.version, self.tags)
    }

    fn head(&mut self, path: &str) -> Reply {
        let Some(length) = self.files.get(path).map(Vec::len) else {
            return (404, Vec::new(), Vec::new());
        };
        if path == TARGET {
            self.told = length;
        }
        let mut fields = vec![("etag", self.tag())];
        // Apache leaves out a 0.
        if length > 0 {
            fields.push(("content-length", length.to_string()));
        }
        (200, fields, Vec::new())
    }

    fn get(&self, path: &str, range: Option<String>) -> Reply {
        let file = match self.files.get(path) {
            Some(file) if self.gives => file,
            Some(_) => return (403, Vec::new(), Vec::new()),
            None => return (404, Vec::new(), Vec::new()),
        };
        let Some(range) = range else {
            return (200, Vec::new(), file.clone());
        };
        if file.is_empty() {
            return (
                416,
                vec![("content-range", "bytes */0".to_owned())],
                Vec::new(),
            );
        }
        let (from, last) = range
            .strip_prefix("bytes=")
            .unwrap()
            .split_once('-')
            .unwrap();
        let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
        let given = format!("bytes {from}-{last}/{}", file.len());
        (
            206,
            vec![("content-range", given)],
            file[from..=last].to_vec(),
        )
    }

    fn put(&mut self, path: &str, method: &str, range: Option<String>, body: Vec<u8>) -> u16 {
        self.version += u64::from(path == TARGET);
        let Some(range) = range else {
            assert_eq!(method, "PUT");
            self.puts += usize::from(path == TARGET);
            self.files.insert(path.to_owned(), body);
            return 201;
        };
        match self.takes {
            Takes::Nothing => {
                assert!(
                    path != TARGET,
                    "a range goes to a server that ignores ranges"
                );
                self.files.insert(path.to_owned(), body);
                return 204;
            }
            Takes::Refuses(status) => return status,
            Takes::Put => assert_eq!(method, "PUT"),
            Takes::Patch => assert_eq!(method, "PATCH"),
        }
        let from = range.trim_start_matches(|c: char| !c.is_ascii_digit());
        let from: usize = from.split('-').next().unwrap().parse().unwrap();
        let file = self.files.get_mut(path).expect("a range is of a file");
        assert!(from <= file.len(), "the file gets a hole");
        if path == TARGET {
            // A `PATCH` begins with the last byte that is there.
            let overlap = usize::from(self.takes == Takes::Patch);
            assert!(
                from + overlap >= self.told,
                "confirmed bytes are sent again"
            );
        }
        // As dufs has it.
        if self.takes == Takes::Patch && from >= file.len() {
            return 400;
        }
        let end = from + body.len();
        file.resize(file.len().max(end), 0);
        file[from..end].copy_from_slice(&body);
        204
    }
}

/// A connector to the server.
#[derive(Clone)]
pub(super) struct To(pub Arc<Mutex<Server>>);

impl Exchange for To {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let (status, fields, body) = self.0.lock().unwrap().answer(request)?;
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let value = HeaderValue::from_str(&value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        Ok(Response {
            status,
            headers,
            body,
            ..Response::default()
        })
    }
}

impl Connector for To {
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop> {
        Ok(Box::new(self.clone()))
    }
}
