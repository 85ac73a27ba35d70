//! Forms with a signature.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};

use super::{encode, post_form};

pub const SECRET: &str = "geheim";

pub type Fields = Vec<(String, String)>;

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs() as i64
}

pub fn nonce() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    hex(&bytes)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn mac<M: Mac + KeyInit>(fields: &[(String, String)]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encoded = |text: &str| -> String {
        let bytes = text.bytes().map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        });
        bytes.collect()
    };
    let lines = fields
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    let mut mac = <M as KeyInit>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(lines.join("\n").as_bytes());
    hex(&mac.finalize().into_bytes())
}

pub fn hmac(fields: &[(String, String)]) -> String {
    mac::<Hmac<sha2::Sha256>>(fields)
}

pub fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

/// The fields with a time, a nonce and the signature.
pub fn signed(mut fields: Fields, ts: i64, nonce: &str) -> Fields {
    fields.extend([field("ts", ts), field("nonce", nonce)]);
    let sign = hmac(&fields);
    fields.push(field("sign", sign));
    fields
}

pub fn form(fields: &Fields) -> Vec<u8> {
    let pairs = fields
        .iter()
        .map(|(n, v)| format!("{}={}", encode(n), encode(v)));
    post_form(&pairs.collect::<Vec<_>>().join("&"))
}
