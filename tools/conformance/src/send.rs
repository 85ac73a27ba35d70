//! The body of a send, made by hand, so that a check can change any part of it.

use crate::file::TestFile;
use crate::form::{escape, parts, Fields};

/// A send, of which a check can change any part.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// The fields before the file.
    pub fields: Fields,
    /// Parameters of the file's Content-Disposition after its name, each with `; ` before it.
    pub file_name: String,
    /// The bytes of the file's part.
    pub bytes: Vec<u8>,
    /// The fields after the file.
    pub tail: Fields,
}

impl SendRequest {
    /// Makes a send of the bytes `from..to` of a file, with the right digest.
    pub fn of(file: &TestFile, id: &str, from: u64, to: u64) -> Self {
        let digest = match to == file.size() {
            true => (file.digest().to_owned(), file.whole()),
            false => (format!("prefix_{}", file.digest()), file.prefix(to)),
        };
        let mut fields: Fields = vec![("action".into(), "send".into()), ("id".into(), id.into())];
        fields.extend(file.fields());
        fields.push(("offset".into(), from.to_string()));
        fields.push(("length".into(), (to - from).to_string()));
        Self::with(file, fields, (from, to), vec![digest])
    }

    /// Makes a part, a send of the bytes `from..to` of a file beside others of the same run.
    pub fn part(file: &TestFile, id: &str, (from, to): (u64, u64), run: &str) -> Self {
        let digest = (format!("part_{}", file.digest()), file.digest_of(from, to));
        let mut part = Self::of(file, id, from, to).set("part", run);
        part.tail = vec![digest];
        part
    }

    /// Makes a store, a send of a whole file without a locate.
    pub fn store(file: &TestFile) -> Self {
        let mut fields: Fields = vec![("action".into(), "store".into())];
        fields.extend(file.fields());
        fields.push((file.digest().into(), file.whole()));
        Self::with(file, fields, (0, file.size()), Fields::new())
    }

    /// Makes a request with the bytes `from..to` of a file.
    fn with(file: &TestFile, mut fields: Fields, (from, to): (u64, u64), tail: Fields) -> Self {
        if let Some(digest) = file.agreed {
            fields.push(("digest".into(), digest.into()));
        }
        fields.extend(file.extra.clone());
        Self {
            fields,
            file_name: format!("; filename=\"{}\"", escape(&file.name)),
            bytes: file.content[from as usize..to as usize].to_vec(),
            tail,
        }
    }

    /// Sets a field before the file.
    pub fn set(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        match self.fields.iter_mut().find(|(known, _)| known == name) {
            Some(field) => field.1 = value,
            None => self.fields.push((name.to_owned(), value)),
        }
        self
    }

    /// Removes a field before the file.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    /// Sets the fields after the file.
    pub fn tail(mut self, tail: &[(&str, &str)]) -> Self {
        self.tail = tail
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()))
            .collect();
        self
    }

    /// Writes the body with this boundary.
    pub fn body(&self, boundary: &str) -> Body {
        let mut opening = parts(&self.fields, boundary);
        opening += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"{}\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            self.file_name
        );
        let closing = format!("\r\n{}--{boundary}--\r\n", parts(&self.tail, boundary));
        Body {
            kind: format!("multipart/form-data; boundary={boundary}"),
            opening: opening.into_bytes(),
            bytes: self.bytes.clone(),
            closing: closing.into_bytes(),
        }
    }
}

/// A multipart body in three pieces.
#[derive(Clone, Debug)]
pub struct Body {
    /// The Content-Type.
    pub kind: String,
    /// The bytes before the file.
    pub opening: Vec<u8>,
    /// The file's bytes.
    pub bytes: Vec<u8>,
    /// The bytes after the file.
    pub closing: Vec<u8>,
}

impl Body {
    /// Returns the whole body.
    pub fn whole(&self) -> Vec<u8> {
        [&*self.opening, &*self.bytes, &*self.closing].concat()
    }

    /// Computes the Content-Length.
    pub fn length(&self) -> u64 {
        (self.opening.len() + self.bytes.len() + self.closing.len()) as u64
    }
}
