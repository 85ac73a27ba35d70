//! Requests with forms.

use std::collections::HashMap;
use std::io::BufRead;

/// A request: its method, its query and its form.
#[derive(Debug, Clone, Default)]
pub struct Form {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub fields: HashMap<String, String>,
    /// The name of the file's field, and of the file.
    pub file_field: String,
    pub file_name: String,
    pub bytes: Vec<u8>,
    /// Whether the server is to lose these bytes, and to answer all the same.
    pub is_lost: bool,
}

impl Form {
    pub fn number(&self, name: &str) -> Option<usize> {
        self.fields.get(name)?.parse().ok()
    }

    pub fn field(&self, name: &str) -> String {
        self.fields.get(name).cloned().unwrap_or_default()
    }
}

pub fn read_head(reader: &mut impl BufRead) -> Option<Form> {
    let mut line = String::new();
    let mut form = Form::default();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split(' ');
    form.method = words.next()?.to_owned();
    form.target = words.next()?.to_owned();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        form.headers
            .insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let query = form
        .target
        .split_once('?')
        .map(|(_, query)| query.to_owned());
    form.fields
        .extend(decode(query.as_deref().unwrap_or_default()));
    Some(form)
}

fn decode(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let plain = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            rest = tail;
            match (first, tail) {
                (b'+', _) => bytes.push(b' '),
                (b'%', [a, b, after @ ..]) => {
                    let hex = [*a, *b];
                    let hex = std::str::from_utf8(&hex).unwrap();
                    bytes.push(u8::from_str_radix(hex, 16).unwrap());
                    rest = after;
                }
                _ => bytes.push(*first),
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (plain(name), plain(value))
    };
    pairs.map(pair).collect()
}

/// Reads a form, or the bytes of a file alone.
pub fn read_body(form: &mut Form, body: &[u8]) {
    let content_type = form
        .headers
        .get("content-type")
        .cloned()
        .unwrap_or_default();
    if content_type == "application/x-www-form-urlencoded" {
        let text = std::str::from_utf8(body).unwrap();
        form.fields.extend(decode(text));
        return;
    }
    let Some((_, boundary)) = content_type.split_once("boundary=") else {
        form.bytes = body.to_vec();
        return;
    };
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = &body[delimiter.len() - 2..];
    while !rest.starts_with(b"--") {
        let end = find(rest, delimiter.as_bytes()).expect("the end of a part");
        let part = &rest[2..end];
        rest = &rest[end + delimiter.len()..];
        let head = find(part, b"\r\n\r\n").expect("the head of a part");
        let text = String::from_utf8(part[..head].to_vec()).unwrap();
        let value = &part[head + 4..];
        let quoted = |name: &str| {
            let (_, after) = text.split_once(&format!(" {name}=\""))?;
            Some(after.split_once('"')?.0.to_owned())
        };
        let name = quoted("name").expect("a name");
        match quoted("filename") {
            Some(file) => {
                (form.file_field, form.file_name) = (name, file);
                form.bytes = value.to_vec();
            }
            None => {
                form.fields
                    .insert(name, String::from_utf8(value.to_vec()).unwrap());
            }
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|at| at == what)
}
