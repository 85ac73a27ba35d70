//! Compares the form that the library sends with the one that a real browser sends for the same page.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use resup::{Client, Upload};
use resup_test_support::chromium::Chromium;
use resup_test_support::scripted::{json, Request, RequestHead, ScriptedServer, Step};

/// Names of fields and their values, in the order of the form.
type Fields = Vec<(String, String)>;

/// A browser, and a server that shows it a page, and takes the page's form as well as uploads.
struct Both {
    chromium: Chromium,
    scripted: ScriptedServer,
    page: Arc<Mutex<String>>,
    size: Arc<AtomicU64>,
    dir: tempfile::TempDir,
}

impl Both {
    /// Starts both. `None` when no browser is installed.
    fn start() -> Option<Self> {
        let chromium = Chromium::start()?;
        let page = Arc::new(Mutex::new(String::new()));
        let size = Arc::new(AtomicU64::new(0));
        let (shown, expected) = (page.clone(), size.clone());
        let scripted = ScriptedServer::start_with(move |head, _| {
            let uploads = head.target == "/upload";
            let size = expected.load(Ordering::Relaxed);
            match head.boundary() {
                Some(_) if uploads => Step::reply(200, &json("complete", size, "k1")),
                None if uploads => Step::reply(200, r#"{"state":"new"}"#),
                Some(_) => Step::reply(200, "{}"),
                None => show(head, &shown.lock().unwrap()),
            }
        });
        Some(Both {
            chromium,
            scripted,
            page,
            size,
            dir: tempfile::tempdir().unwrap(),
        })
    }

    /// Uploads a file of this name with these fields of its own, then lets the browser send the
    /// same form.
    fn send(&mut self, name: &str, bytes: &[u8], own: &[(&str, &str)]) -> Sent {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        self.size.store(bytes.len() as u64, Ordering::Relaxed);
        let addr = self.scripted.addr();
        let client = Client::new(&format!("http://{addr}/upload")).unwrap();
        let mut upload = Upload::from_file(&client, &path).unwrap();
        for (name, value) in own {
            upload.set_field(name, value).unwrap();
        }
        let before = self.scripted.requests().len();
        upload.run().unwrap();
        let library = self.wait_for_form("/upload", before);
        *self.page.lock().unwrap() = page(&fields(&library, name, own));
        self.chromium.open(&format!("http://{addr}/page"));
        self.chromium.choose_file("input[type=file]", &path);
        let click = "document.querySelector('button').click()";
        self.chromium.run(click);
        let browser = self.wait_for_form("/form", before);
        Sent { library, browser }
    }

    /// Waits for a form to this path after the first `before` requests, and returns it with another boundary.
    fn wait_for_form(&self, path: &str, before: usize) -> Vec<u8> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let requests = self.scripted.requests().into_iter().skip(before);
            let mut forms = requests.filter(|request| {
                let whole = request.head.content_length() == Some(request.body_len);
                request.head.target == path && request.head.boundary().is_some() && whole
            });
            if let Some(form) = forms.next() {
                return without_boundary(&form);
            }
            assert!(Instant::now() < until, "no form came to {path}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn show(head: &RequestHead, page: &str) -> Step {
    if head.target != "/page" {
        return Step::reply(404, "{}");
    }
    let response = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\n\r\n{page}",
        page.len()
    );
    Step::new().write(response)
}

/// Writes a page with a form of these fields, and a file before the last of them.
fn page(fields: &Fields) -> String {
    let mut html = "<!doctype html><form method=post action=/form \
                    enctype=multipart/form-data>\n"
        .to_owned();
    for (i, (name, value)) in fields.iter().enumerate() {
        if i + 1 == fields.len() {
            html += "<input type=file name=file>\n";
        }
        let (name, value) = (attribute(name), attribute(value));
        html += &format!("<input type=hidden name={name} value={value}>\n");
    }
    html + "<button>Upload</button></form>"
}

/// Writes text as the value of an attribute, in quotes.
fn attribute(text: &str) -> String {
    let special = |c: char| !c.is_ascii_alphanumeric() && c.is_ascii();
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match special(c) {
            true => quoted += &format!("&#{};", c as u32),
            false => quoted.push(c),
        }
    }
    quoted + "\""
}

/// The forms that both sent for one file, without their boundaries.
struct Sent {
    library: Vec<u8>,
    browser: Vec<u8>,
}

/// Returns the content type and the body, with another boundary.
fn without_boundary(request: &Request) -> Vec<u8> {
    let head = &request.head;
    let boundary = head.boundary().unwrap();
    let mut text = head.header("content-type").unwrap().as_bytes().to_vec();
    text.extend_from_slice(b"\r\n\r\n");
    text.extend_from_slice(&request.body);
    replace(&text, boundary.as_bytes(), b"BOUNDARY")
}

fn replace(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        match rest.strip_prefix(old) {
            Some(after) => {
                out.extend_from_slice(new);
                rest = after;
            }
            None => {
                out.push(rest[0]);
                rest = &rest[1..];
            }
        }
    }
    out
}

/// Returns the fields of the library's form: those of the protocol as they are in the form, the file's name
/// and the program's fields as the program set them.
fn fields(form: &[u8], file_name: &str, own: &[(&str, &str)]) -> Fields {
    let form = String::from_utf8_lossy(form);
    let mut own = own.iter();
    let parts = form.split("--BOUNDARY\r\nContent-Disposition: form-data; name=\"");
    let plain = parts.skip(1).filter(|part| !part.starts_with("file\""));
    let field = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n").unwrap();
        let name = head.strip_suffix('"').unwrap();
        let line = value.split("\r\n--BOUNDARY--").next().unwrap();
        let value = line.strip_suffix("\r\n").unwrap_or(line);
        match name {
            "name" => ("name".to_owned(), file_name.to_owned()),
            "action" | "size" | "mtime" | "dir" | "offset" | "length" | "md5" => {
                (name.to_owned(), value.to_owned())
            }
            _ => {
                let (name, value) = own.next().unwrap();
                ((*name).to_owned(), (*value).to_owned())
            }
        }
    };
    plain.map(field).collect()
}

/// Returns the content type that a form has for its file.
fn content_type(form: &[u8]) -> String {
    let form = String::from_utf8_lossy(form);
    let (_, file) = form.split_once("name=\"file\"; filename=").unwrap();
    let (_, line) = file.split_once("\r\nContent-Type: ").unwrap();
    line.split("\r\n").next().unwrap().to_owned()
}

fn assert_same(sent: &Sent, what: &str) {
    let (library, browser) = (&sent.library, &sent.browser);
    let pairs = library.iter().zip(browser);
    let same = pairs.take_while(|(l, b)| l == b).count();
    let around = |text: &[u8]| {
        let end = text.len().min(same + 200);
        text[same.saturating_sub(200)..end]
            .escape_ascii()
            .to_string()
    };
    assert!(
        library == browser,
        "{what}: after {same} bytes the library sent\n{}\nand the browser\n{}",
        around(library),
        around(browser)
    );
}

#[test]
fn names_are_written_as_the_browser_writes_them() {
    let Some(mut both) = Both::start() else {
        return;
    };
    for name in [
        "plain.txt",
        "with blanks and 'quotes'.txt",
        "with \"double quotes\".txt",
        "100% %22 %0D%0A %25.txt",
        "back\\slash\\.txt",
        "line\nfeed.txt",
        "carriage\rreturn.txt",
        "both\r\nof them.txt",
        "tab\tand \u{1}\u{7f}.txt",
        "报告 第一.txt",
        "emoji 😀👩‍👩‍👧.txt",
        "Ünïcödé e\u{301}.txt",
        "semi;colon=&+?#<>.txt",
        "name=\"file\"; filename=\"other.txt",
        " .txt",
        "\u{202e}right-to-left.txt",
    ] {
        let bytes = b"one\r\n--\ntwo\0\xff";
        assert_same(&both.send(name, bytes, &[]), name);
    }
}

#[test]
fn fields_are_written_as_the_browser_writes_them() {
    let Some(mut both) = Both::start() else {
        return;
    };
    let own = [
        ("tenant", "7&8"),
        ("a \"quoted\" name", "a \"quoted\" value"),
        ("percent % %22 %0A", "percent % %22 %0A"),
        ("back\\slash", "back\\slash"),
        ("line\nfeed", "one\ntwo\n"),
        ("carriage\rreturn", "one\rtwo\r"),
        ("both\r\nof them", "one\r\n\r\ntwo"),
        ("报告", "第一 😀"),
        ("empty", ""),
        (" blanks ", "  around  "),
    ];
    let sent = both.send("file.txt", b"bytes", &own);
    assert_same(&sent, "fields");
}

#[test]
fn bytes_are_sent_as_they_are() {
    let Some(mut both) = Both::start() else {
        return;
    };
    let all: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for (name, bytes) in [
        ("all.bin", &all[..]),
        ("one.bin", b"\n"),
        ("empty.bin", b""),
    ] {
        assert_same(&both.send(name, bytes, &[]), name);
    }
}

#[test]
fn content_types_are_those_of_the_browser() {
    let Some(mut both) = Both::start() else {
        return;
    };
    let mut others = Vec::new();
    for extension in [
        "txt", "html", "css", "js", "json", "xml", "csv", "md", "pdf", "png", "jpg", "jpeg", "gif",
        "svg", "webp", "mp3", "wav", "mp4", "mov", "mkv", "zip", "gz", "tar", "7z", "rar", "docx",
        "xlsx", "bin", "exe", "iso", "PDF", "unknown",
    ] {
        let mut sent = both.send(&format!("file.{extension}"), b"bytes", &[]);
        let (ours, theirs) = (content_type(&sent.library), content_type(&sent.browser));
        if ours != theirs {
            others.push(format!(".{extension}: {ours} here, {theirs} there"));
            sent.browser = replace(&sent.browser, theirs.as_bytes(), ours.as_bytes());
        }
        assert_same(&sent, extension);
    }
    let sent = both.send("no-extension", b"bytes", &[]);
    assert_same(&sent, "no extension");
    println!("{}", others.join("\n"));
}
