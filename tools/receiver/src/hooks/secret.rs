//! The signature of calls by HTTP, as <https://www.standardwebhooks.com> has it: HMAC-SHA-256.

use std::path::Path;

use anyhow::{anyhow, Context};
use base64::prelude::{Engine as _, BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What a secret begins with, so that people and scanners know it.
const PREFIX: &str = "whsec_";
/// The fewest bytes in a secret.
const SHORTEST: usize = 24;

/// A secret.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads the file of a secret.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the hooks' secret {name}"))?;
        Self::parse(text.trim()).ok_or_else(|| {
            anyhow!(
                "{name} has no secret for hooks, which is {PREFIX} and {SHORTEST} bytes or more in base64; make one with: \
                 echo {PREFIX}$(openssl rand -base64 32)"
            )
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let base64 = text.strip_prefix(PREFIX).unwrap_or(text);
        let bytes = BASE64_STANDARD.decode(base64).ok()?;
        (bytes.len() >= SHORTEST).then_some(Self(bytes))
    }

    /// Signs a message that is sent at a time, in seconds since 1970.
    pub fn sign(&self, id: &str, time: u64, body: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length");
        mac.update(format!("{id}.{time}.{body}").as_bytes());
        format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn a_message_is_signed_as_the_standard_says() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            "{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_short_secret_is_none() {
        for wrong in ["", "whsec_", "secret", "whsec_c2VjcmV0", "hunter2 hunter2"] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}
