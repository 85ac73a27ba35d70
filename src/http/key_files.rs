//! Certificates and keys in files: PEM and DER are read; for the other forms, the errors tell how
//! to make PEM of them. The receiver uses this file too, so it uses no other one.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

/// The mark with which editors on Windows begin a text in UTF-8.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads a file of certificates or keys.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(_) if path.is_dir() => Err("it is a directory; give a file".to_owned()),
        Err(e) => Err(format!("it cannot be read: {e}")),
    }
}

/// Gives the certificates in a file's content: one at least.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = match content(bytes)? {
        Content::Der(Der::Certificate) => return Ok(vec![bytes.to_vec().into()]),
        Content::Der(other) => return Err(format!("it is {}", other.words())),
        Content::Pem(text) => text,
    };
    let blocks = blocks(&text);
    let mut found = Vec::new();
    for block in blocks.iter().filter(|b| b.label.ends_with(b"CERTIFICATE")) {
        let n = found.len() + 1;
        if block.label != b"CERTIFICATE" {
            let label = block.label();
            return Err(format!(
                "certificate {n} is in a form of OpenSSL's own ({label}); \
                 \"openssl x509 -in OLD -out NEW\" writes it in the usual one"
            ));
        }
        found.push(block.decode(&format!("certificate {n}"))?);
    }
    match found.is_empty() {
        true => Err(format!("it contains no certificate{}", contents(&blocks))),
        false => Ok(found),
    }
}

/// Gives the first private key in a file's content.
pub(crate) fn private_key(bytes: &[u8]) -> Result<Zeroizing<PrivateKeyDer<'static>>, String> {
    const ENCRYPTED: &str = "its key is encrypted; write it without a password: \
                             \"openssl pkey -in OLD -out NEW\"";
    let text = match content(bytes)? {
        Content::Der(Der::Key) => {
            let key = PrivateKeyDer::try_from(bytes.to_vec());
            return key
                .map(Zeroizing::new)
                .map_err(|_| "its key is damaged".to_owned());
        }
        Content::Der(Der::EncryptedKey) => return Err(ENCRYPTED.to_owned()),
        Content::Der(other) => return Err(format!("it is {}", other.words())),
        Content::Pem(text) => text,
    };
    let blocks = blocks(&text);
    let key = blocks.iter().find(|b| b.label.ends_with(b"PRIVATE KEY"));
    let Some(key) = key else {
        let more = contents(&blocks);
        return Err(format!("it contains no private key{more}"));
    };
    if key.label.starts_with(b"ENCRYPTED") || contains(key.text, b"\nProc-Type: 4,ENCRYPTED") {
        return Err(ENCRYPTED.to_owned());
    }
    match key.label {
        b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" => {
            key.decode("its key").map(Zeroizing::new)
        }
        b"OPENSSH PRIVATE KEY" => Err("its key is in the form of OpenSSH; \
                                       \"ssh-keygen -p -m PEM -f FILE\" writes it as PEM"
            .to_owned()),
        _ => Err(format!(
            "its key is of a kind that TLS does not use ({})",
            key.label()
        )),
    }
}

/// What a file holds.
enum Content {
    Pem(Zeroizing<Vec<u8>>),
    Der(Der),
}

fn content(bytes: &[u8]) -> Result<Content, String> {
    if bytes.trim_ascii().is_empty() {
        return Err("it is empty".to_owned());
    }
    if contains(bytes, b"-----BEGIN ") {
        return Ok(Content::Pem(tidy(bytes)));
    }
    if let Some(der) = Der::of(bytes) {
        return Ok(Content::Der(der));
    }
    Err(match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            "it is text in UTF-16; save it as UTF-8 or ASCII".to_owned()
        }
        [0xfe, 0xed, 0xfe, 0xed, ..] => {
            format!(
                "it is a key store of Java, which \"keytool -importkeystore -srckeystore OLD \
                 -destkeystore NEW -deststoretype PKCS12\" turns into {PKCS12}"
            )
        }
        _ => {
            "it is neither PEM, which is text between lines with BEGIN and END, nor DER".to_owned()
        }
    })
}

/// Removes the marks and blanks around lines. (The copy has room for all of it, so that no other
/// copy of a key stays in memory.)
fn tidy(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.strip_prefix(BOM).unwrap_or(line).trim_ascii();
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    text
}

/// A part of a PEM text.
struct Block<'a> {
    /// What it is, as its first line says.
    label: &'a [u8],
    /// All of it, with its first and last line.
    text: &'a [u8],
    is_whole: bool,
}

impl Block<'_> {
    fn label(&self) -> String {
        String::from_utf8_lossy(self.label).into_owned()
    }

    fn decode<T: PemObject>(&self, what: &str) -> Result<T, String> {
        if !self.is_whole {
            let label = self.label();
            return Err(format!(
                "{what} is cut off: the line -----END {label}----- is missing"
            ));
        }
        T::from_pem_slice(self.text).map_err(|_| {
            format!("{what} is damaged: between its first and its last line is not only base64")
        })
    }
}

fn blocks(text: &[u8]) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut add = |(label, from), end, is_whole| {
        let text = &text[from..end];
        blocks.push(Block {
            label,
            text,
            is_whole,
        });
    };
    let mut open = None;
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let line = line.trim_ascii_end();
        let label = line.strip_prefix(b"-----BEGIN ".as_slice());
        if let Some(label) = label.and_then(|label| label.strip_suffix(b"-----".as_slice())) {
            if let Some(cut) = open.replace((label, start)) {
                add(cut, start, false);
            }
        } else if line.starts_with(b"-----END ") {
            if let Some(whole) = open.take() {
                add(whole, at, true);
            }
        }
    }
    if let Some(cut) = open {
        add(cut, text.len(), false);
    }
    blocks
}

/// Says what a file has in place of what was looked for.
fn contents(blocks: &[Block<'_>]) -> String {
    let Some(first) = blocks.first() else {
        return ": its lines with BEGIN are damaged".to_owned();
    };
    let way_out = match first.label {
        label if label.ends_with(b"PRIVATE KEY") => {
            "; give the file of the certificate here, and that of the key as the key"
        }
        b"CERTIFICATE" => "; give the file of the key here, and that of the certificate as it",
        b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {
            "; give the certificate that the CA made of this request"
        }
        b"PKCS7" => "; \"openssl pkcs7 -print_certs -in OLD -out NEW\" writes its certificates",
        _ => "",
    };
    format!(", but a part {}{way_out}", first.label())
}

const PKCS12: &str = "a PKCS#12 file (.p12, .pfx); \"openssl pkcs12 -nodes -in OLD -out NEW\" \
                      writes its certificate and key as PEM, into one file for both";

/// The kinds of DER files.
enum Der {
    Certificate,
    Key,
    EncryptedKey,
    PublicKey,
    Pkcs12,
    Pkcs7,
}

impl Der {
    /// Finds the kind by the first elements.
    fn of(bytes: &[u8]) -> Option<Der> {
        const INTEGER: u8 = 0x02;
        const BIT_STRING: u8 = 0x03;
        const OCTET_STRING: u8 = 0x04;
        const OID: u8 = 0x06;
        const SEQUENCE: u8 = 0x30;
        const VERSION: u8 = 0xa0;
        let (SEQUENCE, inner, _) = element(bytes)? else {
            return None;
        };
        let (first, value, rest) = element(inner)?;
        let second = element(rest).map(|(tag, ..)| tag);
        let below = element(value).map(|(tag, ..)| tag);
        Some(match (first, below, second) {
            (INTEGER, _, Some(SEQUENCE)) if value == [3] => Der::Pkcs12,
            (INTEGER, _, Some(INTEGER | OCTET_STRING | SEQUENCE)) => Der::Key,
            (OID, ..) => Der::Pkcs7,
            (SEQUENCE, Some(OID), Some(OCTET_STRING)) => Der::EncryptedKey,
            (SEQUENCE, Some(OID), Some(BIT_STRING)) => Der::PublicKey,
            (SEQUENCE, Some(VERSION | INTEGER), Some(SEQUENCE)) => Der::Certificate,
            _ => return None,
        })
    }

    fn words(&self) -> &'static str {
        match self {
            Der::Certificate => "a certificate; give the file of its key here",
            Der::Key | Der::EncryptedKey => "a private key; give the file of the certificate here",
            Der::PublicKey => "a public key",
            Der::Pkcs12 => PKCS12,
            Der::Pkcs7 => {
                "a PKCS#7 file (.p7b); \"openssl pkcs7 -print_certs -inform DER -in OLD -out NEW\" \
                 writes its certificates as PEM"
            }
        }
    }
}

/// Splits a DER text: into the tag and the content of the first element, and what follows. Where
/// the length is not given, as BER allows, the content is all that follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = der else {
        return None;
    };
    let (length, rest) = match length {
        0x80 => (rest.len(), rest),
        0..0x80 => (usize::from(*length), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            let length = bytes.iter().try_fold(0_usize, |length, byte| {
                length.checked_mul(256)?.checked_add(usize::from(*byte))
            })?;
            (length, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

/// Whether `text` has `what` in it.
pub(super) fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}
