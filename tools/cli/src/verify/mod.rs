//! The command `verify`: whether a file is the one that a receipt is about, and whether the receipt is right.
//!
//! docs/operation/hooks.md says what a receipt is: a JSON Web Token that is signed with Ed25519.

pub mod options;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};
use resup_digests::{Algorithm, Digest, State};
use ring::signature::{UnparsedPublicKey, ED25519};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::SubjectPublicKeyInfoDer;
use serde_json::{Map, Value};

use crate::exit::{Exit, Fault};
use crate::messages::{sentence, text, tr};
use crate::pages::print;
use crate::stderr::{self, escape_controls};
use crate::units::bytes;
use options::Verify;

/// The environment variable with the path of the key.
const VARIABLE: &str = "RESUP_RECEIPT_KEY";
/// The type of a receipt.
const TYPE: &str = "resup-receipt+jwt";
/// The version of receipts that this command reads.
const VERSION: u64 = 1;
/// The most bytes of a receipt or a key.
const LONGEST: u64 = 64 * 1024;
/// How many bytes of the file are read at once.
const BLOCK: usize = 256 * 1024;
/// What stands before the 32 bytes of a public key of Ed25519 (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What a receipt says.
struct Receipt {
    claims: Map<String, Value>,
    size: u64,
    digests: Vec<Digest>,
}

/// Checks a receipt and a file.
pub fn verify(options: &Verify) -> Result<Exit, Fault> {
    let variable = || std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
    let key = options.key.clone().or_else(|| variable().map(Into::into));
    let key = key.ok_or_else(|| {
        Fault::usage(tr!(
            "without the receiver's public key a receipt proves nothing: give --key FILE, or set {variable}; the receiver \
             gives its key at /receipt-key",
            variable = VARIABLE
        ))
    })?;
    let public_key = public_key(&key)?;
    let receipt = Receipt::read(&options.receipt, &key, &public_key)?;
    receipt.check(&options.file)?;
    let line = receipt.words(&options.file);
    if receipt
        .digests
        .iter()
        .all(|it| it.algorithm() == Algorithm::Md5)
    {
        stderr::write(text(
            "resup: the receipt has an MD5 only, which protects against accidents: somebody could make two files with it",
        ));
    }
    print(|out| writeln!(out, "{line}"))
}

/// Makes the fault of a receipt that is not right, or not this file's.
fn wrong(path: &Path, why: impl std::fmt::Display) -> Fault {
    Fault {
        exit: Exit::BadResponse,
        text: about(path, why),
    }
}

/// Writes what is wrong with a file.
fn about(path: &Path, why: impl std::fmt::Display) -> String {
    tr!("{path}: {why}", path = path.display(), why = sentence(why))
}

/// Reads a small file.
fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut content = Vec::new();
    let unreadable = |error: io::Error| Fault::local(about(path, error));
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(LONGEST + 1).read_to_end(&mut content);
    read.map_err(unreadable)?;
    Ok(content)
}

/// Reads a public key.
fn public_key(path: &Path) -> Result<Vec<u8>, Fault> {
    let pem = read(path)?;
    let key = SubjectPublicKeyInfoDer::from_pem_slice(&pem).ok();
    let key = key.and_then(|key| Some(key.strip_prefix(&SPKI)?.to_vec()));
    key.filter(|key| key.len() == 32)
        .ok_or_else(|| Fault::local(about(path, tr!("it is no public key of Ed25519 in PEM"))))
}

/// The name of a key in receipts: its thumbprint (RFC 7638).
fn thumbprint(key: &[u8]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(key);
    let jwk = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    BASE64_URL_SAFE_NO_PAD.encode(Digest::of(Algorithm::Sha256, jwk.as_bytes()).bytes())
}

impl Receipt {
    /// Reads a receipt that this key has signed.
    fn read(path: &Path, key_path: &Path, key: &[u8]) -> Result<Self, Fault> {
        let content = read(path)?;
        let no_receipt = || wrong(path, tr!("it is no receipt of a receiver of resup"));
        let text = std::str::from_utf8(&content)
            .map_err(|_| no_receipt())?
            .trim();
        let (signed, signature) = text.rsplit_once('.').ok_or_else(no_receipt)?;
        let (header, claims) = signed.split_once('.').ok_or_else(no_receipt)?;
        let decode = |part: &str| {
            BASE64_URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| no_receipt())
        };
        let object = |part: &str| -> Result<Map<String, Value>, Fault> {
            serde_json::from_slice(&decode(part)?).map_err(|_| no_receipt())
        };
        let (header, signature) = (object(header)?, decode(signature)?);
        let field = |member: &str| header.get(member).and_then(Value::as_str).unwrap_or("");
        if field("alg") != "EdDSA" || field("typ") != TYPE {
            return Err(no_receipt());
        }
        let verifier = UnparsedPublicKey::new(&ED25519, key);
        if verifier.verify(signed.as_bytes(), &signature).is_err() {
            let (named, own) = (field("kid"), thumbprint(key));
            let key = key_path.display();
            return Err(match named == own {
                true => wrong(
                    path,
                    tr!("it was changed: {key} has not signed what it says", key),
                ),
                false => wrong(
                    path,
                    tr!(
                        "the key {named} has signed it, and {key} is the key {own}",
                        named,
                        key,
                        own
                    ),
                ),
            });
        }
        // From here on a receiver says so, and nobody else.
        let claims = object(claims)?;
        match claims.get("receipt").and_then(Value::as_u64) {
            Some(VERSION) => {}
            version => {
                let version = version.map_or(tr!("none"), |version| version.to_string());
                let why = tr!(
                    "its version is {version}, and this command reads {own}: use a newer one",
                    version,
                    own = VERSION
                );
                return Err(wrong(path, why));
            }
        }
        let digest = |algorithm: Algorithm| {
            let hex = claims.get(algorithm.name())?.as_str()?;
            Digest::of_hex(algorithm, hex)
        };
        let digests: Vec<_> = Algorithm::ALL.into_iter().filter_map(digest).collect();
        let size = claims.get("size").and_then(Value::as_u64);
        match size {
            Some(size) if !digests.is_empty() => Ok(Self {
                claims,
                size,
                digests,
            }),
            _ => Err(wrong(path, tr!("it has no size, or no digest"))),
        }
    }

    /// Compares a file with it.
    fn check(&self, path: &Path) -> Result<(), Fault> {
        let unreadable = |error: io::Error| Fault::local(about(path, error));
        let mut file = File::open(path).map_err(unreadable)?;
        let other_size = |size: &dyn std::fmt::Display| {
            let why = tr!(
                "it has {size} bytes, and the file of the receipt has {due}",
                size,
                due = self.size
            );
            Err(wrong(path, why))
        };
        // Without reading all of a large one.
        match fs::metadata(path).map_err(unreadable)? {
            found if found.is_file() && found.len() != self.size => {
                return other_size(&found.len())
            }
            _ => {}
        }
        let mut states: Vec<_> = self
            .digests
            .iter()
            .map(|it| State::new(it.algorithm()))
            .collect();
        let (mut block, mut size) = (vec![0; BLOCK], 0);
        loop {
            let count = match file.read(&mut block) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(unreadable)?,
            };
            size += count as u64;
            if size > self.size {
                return other_size(&tr!("more than {size}", size = self.size));
            }
            states
                .iter_mut()
                .for_each(|state| state.update(&block[..count]));
        }
        if size < self.size {
            return other_size(&size);
        }
        for (expected, state) in self.digests.iter().zip(&states) {
            let (actual, label) = (state.digest(), expected.algorithm().label());
            if actual != *expected {
                let (actual, expected) = (actual.hex(), expected.hex());
                let why = tr!(
                    "it is another file: its {label} is {actual}, and that of the receipt {expected}",
                    label,
                    actual,
                    expected
                );
                return Err(wrong(path, why));
            }
        }
        Ok(())
    }

    /// Says what is right.
    fn words(&self, path: &Path) -> String {
        let claim = |member: &str| {
            self.claims
                .get(member)
                .and_then(Value::as_str)
                .unwrap_or("")
        };
        let full = match claim("dir") {
            "" => claim("name").to_owned(),
            dir => format!("{dir}/{}", claim("name")),
        };
        let mut words = tr!(
            "{path}: is the file of the receipt: '{name}', {size}",
            path = path.display(),
            name = full,
            size = bytes(self.size)
        );
        if let Some(digest) = self.digests.first() {
            let digest = format!("{}:{}", digest.algorithm().name(), digest.hex());
            words += &tr!(", {digest}", digest);
        }
        words += &tr!(", complete {time}", time = claim("completed"));
        match claim("sub") {
            "" => {}
            user => words += &tr!(" from {user}", user),
        }
        match claim("iss") {
            "" => {}
            place => words += &tr!(" at {place}", place),
        }
        escape_controls(&words)
    }
}
