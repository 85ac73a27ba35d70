//! Text that must not appear in logs, in messages, or in freed memory.

use std::fmt;
use std::sync::Arc;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use zeroize::Zeroizing;

/// A secret. Copies share one place in memory, which is overwritten when the last is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    pub(crate) fn new(value: impl Into<Vec<u8>>) -> Self {
        Secret(Arc::new(Zeroizing::new(value.into())))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the secret as text; empty if it is not UTF-8.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Makes the value of a Basic authorization (RFC 7617).
pub(crate) fn basic(user: &str, password: &Secret) -> Secret {
    let plain = Zeroizing::new(format!("{user}:{}", password.text()));
    let mut value = b"Basic ".to_vec();
    // The buffer never grows, so no copy of the secret stays behind in freed memory.
    let start = value.len();
    value.resize(start + 4 * plain.len().div_ceil(3), 0);
    let encoded = BASE64_STANDARD.encode_slice(plain.as_bytes(), &mut value[start..]);
    encoded.expect("base64 makes four bytes of three");
    Secret::new(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{:?}", [Some(secret.clone())]).contains("hunter2"));
        assert_eq!(secret.text(), "hunter2");
    }
}
