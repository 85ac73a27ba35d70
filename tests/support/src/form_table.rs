//! The table of forms: the ways in which a client may write boundaries and parameters, and what each receiver makes of
//! them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use md5::{Digest, Md5};

/// Who takes a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    ByAll,
    ByNone,
    /// Taken by all but PHP. PHP's own parser reads it in another way.
    NotByPhp,
    /// Taken by PHP's own parser, whatever the script wants.
    ByPhpOnly,
}

use Taken::{ByAll, ByNone, ByPhpOnly, NotByPhp};

/// What a line of the table changes in an ordinary form.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// The request's Content-Type. The boundary is `XX`.
    Kind(&'static str),
    /// The boundary, as it is, and the Content-Type.
    Boundary(&'static str, &'static str),
    /// The header of the part `file`.
    File(&'static str),
    /// The header of the part `length`, whose value is the file's.
    Length(&'static str),
    /// The header of one part more, before all others, whose value is `1`.
    More(&'static str),
    /// Bytes before the first boundary.
    Before(&'static str),
    /// What follows each boundary in its line.
    Padding(&'static str),
    /// Bytes after the last boundary, instead of a line's end.
    After(&'static str),
}

use Change::{After, Before, Boundary, File, Kind, Length, More, Padding};

/// Names that a program may give to fields, and that a form or a parser changes.
pub const ODD_NAMES: &[&str] = &[
    "a\"b",
    "a%22b",
    "a\nb",
    "a\rb",
    "a%0Ab",
    "a\\b",
    "a\\",
    "a\\\"",
    "a;b=\"c",
    "; name=id",
    "ä",
    "a b",
    " a ",
    "a'",
];

const CONTENT: &[u8] = b"\r\n--X\r\nXX";

const TABLE: &[(Change, Taken)] = &[
    // The boundary.
    (Kind("multipart/form-data; boundary=XX"), ByAll),
    (Kind("multipart/form-data;boundary=XX"), ByAll),
    (Kind("multipart/form-data;   boundary=XX"), ByAll),
    (Kind("multipart/form-data;\tboundary=XX"), ByAll),
    (Kind("multipart/form-data ; boundary=XX"), ByAll),
    (Kind("multipart/form-data; boundary=\"XX\""), ByAll),
    (Kind("multipart/form-data; boundary=\"XX\"; charset=utf-8"), ByAll),
    (Kind("Multipart/Form-Data; Boundary=XX"), ByAll),
    (Kind("MULTIPART/FORM-DATA; BOUNDARY=\"XX\""), ByAll),
    (Kind("multipart/form-data; charset=utf-8; boundary=XX"), ByAll),
    (Kind("multipart/form-data; charset=\"a;b\"; boundary=XX"), ByAll),
    (Kind("multipart/form-data; boundary=XX; charset=utf-8"), ByAll),
    (Kind("multipart/form-data; boundary=XX;"), ByAll),
    (Kind("multipart/form-data;; boundary=XX"), ByAll),
    (Kind("multipart/form-data; boundary=XX "), NotByPhp),
    (Kind("multipart/form-data; boundary =XX"), ByAll),
    (Kind("multipart/form-data; boundary= XX"), NotByPhp),
    (Kind("multipart/form-data; boundary = \"XX\""), NotByPhp),
    (Kind("multipart/form-data; x=\"; boundary=YY\"; boundary=XX"), NotByPhp),
    (Kind("multipart/form-data; xboundary=YY; boundary=XX"), NotByPhp),
    (Kind("multipart/form-data; boundary=XX; boundary=YY"), ByPhpOnly),
    (Kind("multipart/form-data; boundary=\"XX"), ByNone),
    (Kind("multipart/form-data; boundary=\"XX\" YY"), ByPhpOnly),
    (Kind("multipart/form-data; boundary=YY"), ByNone),
    (Kind("multipart/form-data; boundary="), ByNone),
    (Kind("multipart/form-data; boundary=\"\""), ByNone),
    (Kind("multipart/form-data; boundary"), ByNone),
    (Kind("multipart/form-data"), ByNone),
    (
        Boundary("0'()+_,-./:=?", "multipart/form-data; boundary=\"0'()+_,-./:=?\""),
        ByAll,
    ),
    (
        Boundary("0'()+_-./:=?", "multipart/form-data; boundary=0'()+_-./:=?"),
        ByAll,
    ),
    (Boundary("a,b", "multipart/form-data; boundary=a,b"), NotByPhp),
    (Boundary("a b", "multipart/form-data; boundary=\"a b\""), ByAll),
    (Boundary("a;b", "multipart/form-data; boundary=\"a;b\""), ByAll),
    (Boundary("----", "multipart/form-data; boundary=----"), ByAll),
    (Boundary("7", "multipart/form-data; boundary=7"), ByAll),
    (
        Boundary(
            "0123456789012345678901234567890123456789012345678901234567890123456789",
            "multipart/form-data; boundary=\
             0123456789012345678901234567890123456789012345678901234567890123456789",
        ),
        ByAll,
    ),
    // What is around the parts.
    (Before("\r\n"), ByAll),
    (Before("A preamble, for a reader without MIME.\r\n"), ByAll),
    (Before("-- XX\r\n--X\r\n\r\n"), ByAll),
    (Padding(" "), NotByPhp),
    (Padding(" \t  "), NotByPhp),
    (Padding("X"), ByNone),
    (After(""), ByAll),
    (After("\r\nAn epilogue\r\n--XX\r\n"), ByAll),
    // The name of a part.
    (File("Content-Disposition: form-data; name=\"file\"; filename=\"x\""), ByAll),
    (File("Content-Disposition: form-data; filename=\"x\"; name=\"file\""), ByAll),
    (File("Content-Disposition: form-data; name=file; filename=x"), ByAll),
    (File("Content-Disposition: form-data; filename=x; name=file"), ByAll),
    (File("Content-Disposition:form-data;name=\"file\";filename=\"x\""), ByAll),
    (File("content-disposition: form-data; name=\"file\"; filename=\"x\""), ByAll),
    (File("CONTENT-DISPOSITION: FORM-DATA; NAME=\"file\"; FILENAME=\"x\""), ByAll),
    (File("Content-Disposition: form-data; Name=file; FileName=x"), ByAll),
    (File("Content-Disposition: form-data ; name=\"file\" ; filename=\"x\""), ByAll),
    (File("Content-Disposition: form-data; name=\"file\"; filename=\"x\";"), ByAll),
    (File("Content-Disposition: form-data; name = \"file\"; filename = \"x\""), NotByPhp),
    (File("Content-Disposition: form-data; name=\t\"file\"; filename=\t\"x\""), ByAll),
    (
        File("Content-Type: text/plain; name=\"other\"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\""),
        ByAll,
    ),
    (
        File("Content-Disposition: form-data; name=\"file\"; filename=\"x\"\r\nContent-Type: text/plain; name=other"),
        ByAll,
    ),
    (
        File("Content-Disposition: form-data; name=\"file\"; filename=\"报.txt\"; filename*=UTF-8''%E6%8A%A5.txt"),
        ByAll,
    ),
    (
        File("Content-Disposition: form-data; filename*=UTF-8''%22;name=x; filename=\"x\"; name=\"file\""),
        ByPhpOnly,
    ),
    (
        File("Content-Disposition: form-data; name*=UTF-8''other; name=\"file\"; filename=\"x\""),
        ByAll,
    ),
    (File("Content-Disposition: form-data; name=\"file\"; filename=\"a; name=b\""), ByAll),
    (File("Content-Disposition: form-data; filename=\"; name=b\"; name=\"file\""), ByAll),
    (File("Content-Disposition: form-data; filename=\"a%22; name=b\"; name=\"file\""), ByAll),
    (File("Content-Disposition: form-data; filename=\"a\\\"b\"; name=\"file\""), ByAll),
    (File("Content-Disposition: form-data; filename=\"C:\\a\\b\"; name=\"file\""), ByAll),
    (File("Content-Disposition: form-data; filename=\"a\\\"; name=\"file\""), NotByPhp),
    (File("Content-Disposition: form-data; xname=\"other\"; name=\"file\"; filename=\"x\""), ByAll),
    (File("Content-Disposition: form-data; name=\"file\"; filename=\"it's; x\""), ByAll),
    (File("Content-Disposition: form-data; name=\"file\"; filename=it's"), ByAll),
    (File("Content-Disposition: form-data; name=\"file\"; name=\"other\"; filename=\"x\""), ByNone),
    (File("Content-Disposition: form-data; filename=\"; name=file\""), ByNone),
    (File("Content-Disposition: form-data; name=\"FILE\"; filename=\"x\""), ByNone),
    (File("Content-Disposition: form-data; name=\"file; filename=\"x\""), ByNone),
    (File("Content-Disposition: form-data; name=\"file\" x; filename=\"x\""), ByPhpOnly),
    (File("Content-Disposition: form-data; name; filename=\"x\""), ByNone),
    (File("Content-Disposition: form-data;\r\n name=\"file\"; filename=\"x\""), ByPhpOnly),
    (File("Content-Type: text/plain; name=\"file\"; filename=\"x\""), ByNone),
    (File("Content-Disposition: form-data; name=\"file\"; filename=\"x\"\nX-Other: 1"), ByPhpOnly),
    (File("X-Other: 1\nContent-Disposition: form-data; name=\"file\"; filename=\"x\""), ByPhpOnly),
    (File("Content-Disposition: form-data; name=\"file\"; filename=x\n\nX-Other: 1"), ByNone),
    (
        File("Content-Disposition: form-data; name=\"file\"; filename=\"x\"\r\nContent-Disposition: form-data; name=\"other\""),
        ByPhpOnly,
    ),
    (
        File("Content-Disposition: form-data; name=\"other\"; filename=\"x\"\r\nContent-Disposition: form-data; name=\"file\""),
        ByNone,
    ),
    (Length("Content-Disposition: form-data; name=\"length\""), ByAll),
    (Length("Content-Disposition: form-data; name=length"), ByAll),
    (Length("content-disposition:form-data;NAME=length;"), ByAll),
    (
        Length("Content-Disposition: form-data; name=\"length\"\r\nContent-Type: text/plain; charset=utf-8"),
        ByAll,
    ),
    (Length("Content-Disposition: form-data; x=\"; name=offset\"; name=\"length\""), ByAll),
    (Length("Content-Disposition: form-data; name=\"le%6Egth\""), ByNone),
    (More("Content-Disposition: form-data; name=\"note\""), ByAll),
    (More("Content-Disposition: form-data; name=\"a%22b\""), ByAll),
    (More("Content-Disposition: form-data; name=\"; name=length\""), ByAll),
    (More("Content-Disposition: form-data; name=\"报\""), ByAll),
    (More("Content-Disposition: form-data; name=\"\""), ByAll),
    (More("Content-Disposition: form-data"), ByNone),
    (More("X-Other: 1"), ByPhpOnly),
];

/// A receiver that reads the table's forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// resup-receiver, the servlet for Tomcat, or the script for Python: they read forms alike.
    Own,
    /// The script for PHP.
    Php,
}

/// Sends each form of the table to the endpoint at `path`, and compares who takes it.
///
/// # Panics
///
/// With a list of the forms that had another outcome.
pub fn check(addr: SocketAddr, path: &str, reader: Reader) {
    assert!(TABLE.len() >= 50, "the table is too short");
    let mut wrong = Vec::new();
    for (number, (change, taken)) in TABLE.iter().enumerate() {
        let expected = match taken {
            ByAll => true,
            ByNone => false,
            NotByPhp => reader == Reader::Own,
            ByPhpOnly => reader == Reader::Php,
        };
        let id = locate(addr, path, number);
        let (kind, body) = form(change, &id, number);
        let (status, answer) = post(addr, path, &kind, &body);
        let complete = status == 200 && answer.contains("\"complete\"");
        if complete != expected || !(complete || status == 400) {
            wrong.push(format!("{change:?}: {status} {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// Asks for a new upload and returns its id.
fn locate(addr: SocketAddr, path: &str, number: usize) -> String {
    let (kind, size) = ("application/x-www-form-urlencoded", CONTENT.len());
    let form = format!("action=locate&name=form{number}&size={size}&mtime={number}");
    let (status, answer) = post(addr, path, kind, form.as_bytes());
    assert_eq!(status, 200, "{answer}");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    answer["id"].as_str().expect("an id").to_owned()
}

/// Writes the form with this change. Returns its Content-Type and its body.
fn form(change: &Change, id: &str, number: usize) -> (String, Vec<u8>) {
    let (boundary, kind) = match *change {
        Kind(kind) => ("XX", kind),
        Boundary(boundary, kind) => (boundary, kind),
        _ => ("XX", "multipart/form-data; boundary=XX"),
    };
    let padding = if let Padding(text) = change { text } else { "" };
    let mut body = if let Before(text) = change { text } else { "" }.to_owned();
    let mut part = |header: &str, value: &str| {
        body += &format!("--{boundary}{padding}\r\n{header}\r\n\r\n{value}\r\n");
    };
    let named = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"");
    let (size, name) = (CONTENT.len().to_string(), format!("form{number}"));
    if let More(header) = change {
        part(header, "1");
    }
    let fields = [("action", "send"), ("id", id), ("name", &name)];
    for (name, value) in [&fields[..], &[("size", &size), ("offset", "0")]].concat() {
        part(&named(name), value);
    }
    let length = named("length");
    part(
        if let Length(header) = change {
            header
        } else {
            &length
        },
        &size,
    );
    let file = named("file") + "; filename=\"x\"";
    let content = std::str::from_utf8(CONTENT).expect("text");
    part(
        if let File(header) = change {
            header
        } else {
            &file
        },
        content,
    );
    let digest = Md5::digest(CONTENT);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    part(&named("md5"), &digest);
    let end = if let After(text) = change {
        text
    } else {
        "\r\n"
    };
    body += &format!("--{boundary}--{end}");
    (kind.to_owned(), body.into_bytes())
}

/// Makes a request on a connection of its own. Returns the status and the body of its response.
///
/// # Panics
///
/// When there is no response.
pub fn post(addr: SocketAddr, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(addr).expect("a connection");
    let request = [head.as_bytes(), body].concat();
    stream.write_all(&request).expect("the request is sent");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).expect("a response");
    let response = String::from_utf8_lossy(&response).into_owned();
    let status = response.get(9..12).and_then(|status| status.parse().ok());
    let (_, body) = response.split_once("\r\n\r\n").unwrap_or_default();
    (status.expect("a status"), body.to_owned())
}
