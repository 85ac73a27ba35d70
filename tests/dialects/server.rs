//! A server that takes files in forms, as the server of one of the presets does.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::form::{read_body, read_head, Form};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    None,
    /// The connection is lost after so many bytes of the body, of which the server takes nothing.
    Cut(usize),
    /// The request is taken, and its answer is lost.
    LostAnswer,
    /// The request succeeds, and what it has brought is gone.
    Forget,
    /// The server answers this, and takes nothing.
    Status(u16),
}

/// What the server has, and what it was asked.
#[derive(Default)]
pub struct Held {
    /// The chunks of each upload, by their numbers.
    pub chunks: HashMap<String, BTreeMap<usize, Vec<u8>>>,
    /// The bytes of each file that grows at its end.
    pub growing: HashMap<String, Vec<u8>>,
    /// The files that are complete, in the order of their completion.
    pub complete: Vec<Vec<u8>>,
    pub requests: Vec<Form>,
}

type Plan = Box<dyn FnMut(&Form) -> Fault + Send>;

/// The server. It ends with the test's process.
pub struct FormServer {
    addr: SocketAddr,
    held: Arc<Mutex<Held>>,
}

impl FormServer {
    /// Starts the server of a preset; `plan` says what goes wrong.
    pub fn start(preset: &'static str, plan: impl FnMut(&Form) -> Fault + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let held = Arc::new(Mutex::new(Held::default()));
        let plan: Arc<Mutex<Plan>> = Arc::new(Mutex::new(Box::new(plan)));
        let theirs = held.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (held, plan) = (theirs.clone(), plan.clone());
                thread::spawn(move || serve(&stream, preset, &held, &plan));
            }
        });
        FormServer { addr, held }
    }

    /// Starts the server of a preset that makes no fault.
    pub fn right(preset: &'static str) -> Self {
        Self::start(preset, |_| Fault::None)
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}/up", self.addr)
    }

    pub fn held<T>(&self, look: impl FnOnce(&mut Held) -> T) -> T {
        look(&mut self.held.lock().unwrap())
    }

    /// Gives the files that are complete.
    pub fn complete(&self) -> Vec<Vec<u8>> {
        self.held(|held| held.complete.clone())
    }

    /// Gives how many bytes of files came so far.
    pub fn received(&self) -> usize {
        self.held(|held| held.requests.iter().map(|form| form.bytes.len()).sum())
    }
}

fn serve(stream: &TcpStream, preset: &str, held: &Mutex<Held>, plan: &Mutex<Plan>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut form = read_head(&mut reader)?;
        if form.headers.contains_key("expect") {
            (&mut &*stream)
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                .ok()?;
        }
        let fault = plan.lock().unwrap()(&form);
        let length = form
            .headers
            .get("content-length")
            .map_or(0, |it| it.parse().unwrap());
        let mut body = vec![0; length];
        if let Fault::Cut(at) = fault {
            let _ = reader.read_exact(&mut body[..at.min(length)]);
            let _ = stream.shutdown(Shutdown::Both);
            return None;
        }
        reader.read_exact(&mut body).ok()?;
        read_body(&mut form, &body);
        form.is_lost = fault == Fault::Forget;
        let mut held = held.lock().unwrap();
        if let Fault::Status(_) = fault {
            form.bytes.clear();
        }
        held.requests.push(form.clone());
        let (status, headers, text) = match fault {
            Fault::Status(status) => (status, String::new(), "{}".to_owned()),
            _ => answer(preset, &mut held, &form),
        };
        drop(held);
        if fault == Fault::LostAnswer {
            let _ = stream.shutdown(Shutdown::Both);
            return None;
        }
        let length = text.len();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{headers}\r\n");
        (&mut &*stream).write_all((head + &text).as_bytes()).ok()?;
    }
}

type Answer = (u16, String, String);

fn plain(status: u16) -> Answer {
    (status, String::new(), "{}".to_owned())
}

fn answer(preset: &str, held: &mut Held, form: &Form) -> Answer {
    let numbered = |id: &str, number: &str, from, total: &str| Numbered {
        id: form.field(id),
        number: form.number(number).map(|number| number - from),
        total: form.number(total),
    };
    match preset {
        "resumable.js" => {
            let prefix = "resumable";
            let names =
                ["Identifier", "ChunkNumber", "TotalChunks"].map(|it| format!("{prefix}{it}"));
            check_numbered(form, prefix);
            take_numbered(
                held,
                form,
                numbered(&names[0], &names[1], 1, &names[2]),
                204,
            )
        }
        "flow.js" => {
            check_numbered(form, "flow");
            let chunk = numbered("flowIdentifier", "flowChunkNumber", 1, "flowTotalChunks");
            take_numbered(held, form, chunk, 204)
        }
        "simple-uploader" => {
            let chunk = numbered("identifier", "chunkNumber", 1, "totalChunks");
            take_numbered(held, form, chunk, 204)
        }
        "webuploader" => take_numbered(held, form, numbered("id", "chunk", 0, "chunks"), 404),
        "mine" => {
            assert_eq!(form.file_field, "upload");
            let (status, headers, _) = answer("dropzone", held, form);
            (status, headers, r#"{"ok": true}"#.to_owned())
        }
        "dropzone" => {
            let chunk = numbered("dzuuid", "dzchunkindex", 0, "dztotalchunkcount");
            if let Some(offset) = form.number("dzchunkbyteoffset") {
                let index = form.number("dzchunkindex").unwrap();
                assert_eq!(offset, index * form.number("dzchunksize").unwrap());
            }
            take_numbered(held, form, chunk, 404)
        }
        "fineuploader" => fine(
            held,
            form,
            numbered("qquuid", "qqpartindex", 0, "qqtotalparts"),
        ),
        "plupload" | "ng-file-upload" => {
            let index = form.number("chunk").or(form.number("_chunkNumber"));
            let total = match (form.number("_chunkSize"), form.number("_totalSize")) {
                (Some(chunk), Some(size)) => Some(size.div_ceil(chunk.max(1)).max(1)),
                _ => form.number("chunks"),
            };
            grow(held, form, index.unwrap_or(0), total.unwrap_or(1))
        }
        "jquery-file-upload" => jquery(held, form),
        "nginx-upload-module" => nginx(held, form),
        other => panic!("{other}"),
    }
}

/// Where a chunk is in its file.
struct Numbered {
    id: String,
    number: Option<usize>,
    total: Option<usize>,
}

/// Checks the sizes that resumable.js and flow.js tell, as their servers do.
fn check_numbered(form: &Form, prefix: &str) {
    let number = |name: &str| form.number(&format!("{prefix}{name}")).unwrap();
    let (chunk, size) = (number("ChunkSize"), number("TotalSize"));
    let (at, total) = (number("ChunkNumber"), number("TotalChunks"));
    assert_eq!(total, (size / chunk).max(1));
    let length = match at == total {
        true => size - (total - 1) * chunk,
        false => chunk,
    };
    assert_eq!(number("CurrentChunkSize"), length);
    if form.method == "POST" {
        assert_eq!(form.bytes.len(), length);
        assert_eq!(form.file_field, "file");
    }
}

fn take_numbered(held: &mut Held, form: &Form, chunk: Numbered, missing: u16) -> Answer {
    let chunks = held.chunks.entry(chunk.id).or_default();
    let number = chunk.number.unwrap_or(0);
    if form.method == "GET" {
        return plain(if chunks.contains_key(&number) {
            200
        } else {
            missing
        });
    }
    let had_all = chunks.len() == chunk.total.unwrap_or(1);
    chunks.insert(number, form.bytes.clone());
    if !had_all && chunks.len() == chunk.total.unwrap_or(1) {
        held.complete
            .push(chunks.values().flatten().copied().collect());
    }
    plain(200)
}

fn fine(held: &mut Held, form: &Form, chunk: Numbered) -> Answer {
    let done = |is_done| (200, String::new(), format!("{{\"success\": {is_done}}}"));
    let chunks = held.chunks.entry(chunk.id).or_default();
    if form.target.ends_with("?done") {
        let has_all = Some(chunks.len()) == chunk.total;
        if has_all {
            held.complete
                .push(chunks.values().flatten().copied().collect());
        }
        return if has_all { done(true) } else { plain(404) };
    }
    assert_eq!(form.file_field, "qqfile");
    chunks.insert(chunk.number.unwrap_or(0), form.bytes.clone());
    if chunk.number.is_none() {
        held.complete.push(form.bytes.clone());
    }
    done(true)
}

/// Appends chunks. Plupload's server does so to what is left of an earlier file of that name; that of ng-file-upload
/// begins anew with the first chunk.
fn grow(held: &mut Held, form: &Form, index: usize, total: usize) -> Answer {
    let name = form.fields.get("name").unwrap_or(&form.file_name);
    let file = held.growing.entry(name.clone()).or_default();
    if index == 0 && !form.fields.contains_key("name") {
        file.clear();
    }
    file.extend_from_slice(&form.bytes);
    if index + 1 == total {
        held.complete.push(file.clone());
    }
    let text = r#"{"jsonrpc": "2.0", "result": null}"#;
    (200, String::new(), text.to_owned())
}

/// Reads `bytes FROM-TO/SIZE`.
fn range(form: &Form, header: &str) -> Option<(usize, usize)> {
    let value = form.headers.get(header)?.strip_prefix("bytes ")?;
    let (range, size) = value.split_once('/')?;
    let (from, to) = range.split_once('-')?;
    let (from, to): (usize, usize) = (from.parse().ok()?, to.parse().ok()?);
    assert_eq!(to + 1 - from, form.bytes.len());
    Some((from, size.parse().ok()?))
}

/// Appends chunks, under another name where there is another file of that name.
fn jquery(held: &mut Held, form: &Form) -> Answer {
    if form.method == "GET" {
        let size = held.growing.get(&form.field("file")).map(Vec::len);
        let file = size.map_or("null".to_owned(), |size| format!("{{\"size\": {size}}}"));
        return (200, String::new(), format!("{{\"file\": {file}}}"));
    }
    assert_eq!(form.file_field, "files[]");
    let (from, size) = range(form, "content-range").unwrap_or((0, form.bytes.len()));
    // That of the header goes before that of the form.
    let header = form.headers.get("content-disposition");
    let header = header.and_then(|it| it.strip_prefix("attachment; filename=\""));
    let header = header.and_then(|it| it.strip_suffix('"'));
    let mut name = header.unwrap_or(&form.file_name).to_owned();
    while held
        .growing
        .get(&name)
        .is_some_and(|file| file.len() != from)
    {
        name.push('+');
    }
    let file = held.growing.entry(name.clone()).or_default();
    if !form.is_lost {
        file.extend_from_slice(&form.bytes);
    }
    if file.len() == size {
        held.complete.push(file.clone());
    }
    let text = format!("{{\"files\": [{{\"name\": \"{name}\", \"url\": \"/f/{name}\"}}]}}");
    // It tells this of chunks only, and not of an empty file.
    let is_told = form.headers.contains_key("content-range") && !file.is_empty();
    let range = is_told.then(|| format!("Range: 0-{}\r\n", file.len() - 1));
    (200, range.unwrap_or_default(), text)
}

fn nginx(held: &mut Held, form: &Form) -> Answer {
    let id = form.headers["session-id"].clone();
    assert!(form.file_field.is_empty());
    let (from, size) = range(form, "x-content-range").unwrap_or((0, 0));
    let chunks = held.chunks.entry(id).or_default();
    if !form.is_lost {
        chunks.insert(from, form.bytes.clone());
    }
    let file: Vec<u8> = chunks.values().flatten().copied().collect();
    if file.len() == size {
        chunks.clear();
        held.complete.push(file);
        return plain(200);
    }
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for (from, bytes) in chunks {
        match ranges.last_mut().filter(|(_, to)| to == from) {
            Some((_, to)) => *to += bytes.len(),
            None => ranges.push((*from, from + bytes.len())),
        }
    }
    let ranges = ranges
        .iter()
        .map(|(from, to)| format!("{from}-{}/{size}", to - 1));
    let ranges = ranges.collect::<Vec<_>>().join(", ");
    let header = match ranges.is_empty() {
        true => String::new(),
        false => format!("Range: {ranges}\r\n"),
    };
    (201, header, ranges)
}
