//! Signatures that ring does not verify: those of P-521, and those of P-256 with SHA-512.

use ecdsa::hazmat::verify_prehashed;
use once_cell::sync::OnceCell;
use ring::digest;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    alg_id, AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm,
};
use rustls::SignatureScheme;

/// Gives ring's algorithms and these.
pub(super) fn algorithms(ring: WebPkiSupportedAlgorithms) -> WebPkiSupportedAlgorithms {
    static ALL: OnceCell<WebPkiSupportedAlgorithms> = OnceCell::new();
    *ALL.get_or_init(|| {
        let mut all = ring.all.to_vec();
        all.extend([P521_SHA512, P521_SHA384, P521_SHA256, P256_SHA512]);
        let mut mapping = ring.mapping.to_vec();
        // In TLS 1.2 the scheme leaves the curve open.
        let sha512: &'static [_] = &[P521_SHA512, P256_SHA512];
        mapping.push((SignatureScheme::ECDSA_NISTP521_SHA512, sha512));
        WebPkiSupportedAlgorithms {
            all: all.leak(),
            mapping: mapping.leak(),
        }
    })
}

const P521_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    curve: Curve::P521,
    digest: &digest::SHA512,
};
const P521_SHA384: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    curve: Curve::P521,
    digest: &digest::SHA384,
};
const P521_SHA256: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    curve: Curve::P521,
    digest: &digest::SHA256,
};
const P256_SHA512: &dyn SignatureVerificationAlgorithm = &Ecdsa {
    curve: Curve::P256,
    digest: &digest::SHA512,
};

#[derive(Debug, Clone, Copy)]
enum Curve {
    P256,
    P521,
}

/// ECDSA over a curve, with a digest.
#[derive(Debug)]
struct Ecdsa {
    curve: Curve,
    digest: &'static digest::Algorithm,
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let digest = digest::digest(self.digest, message);
        let verified = match self.curve {
            Curve::P256 => verify_p256(public_key, digest.as_ref(), signature),
            Curve::P521 => verify_p521(public_key, digest.as_ref(), signature),
        };
        verified.ok_or(InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.curve {
            Curve::P256 => alg_id::ECDSA_P256,
            Curve::P521 => alg_id::ECDSA_P521,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self.digest.output_len() {
            32 => alg_id::ECDSA_SHA256,
            48 => alg_id::ECDSA_SHA384,
            _ => alg_id::ECDSA_SHA512,
        }
    }
}

fn verify_p256(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = p256::PublicKey::from_sec1_bytes(key).ok()?;
    let (r, s) = numbers::<32>(signature)?;
    let signature = p256::ecdsa::Signature::from_scalars(r, s).ok()?;
    verify_prehashed(&key.to_projective(), digest, &signature).ok()
}

fn verify_p521(key: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let key = p521::PublicKey::from_sec1_bytes(key).ok()?;
    let (r, s) = numbers::<66>(signature)?;
    let signature = p521::ecdsa::Signature::from_scalars(r, s).ok()?;
    verify_prehashed(&key.to_projective(), digest, &signature).ok()
}

/// Reads the two numbers of a signature, a DER sequence of two integers.
fn numbers<const N: usize>(der: &[u8]) -> Option<([u8; N], [u8; N])> {
    const INTEGER: u8 = 0x02;
    const SEQUENCE: u8 = 0x30;
    let (numbers, rest) = element(SEQUENCE, der)?;
    let (r, numbers) = element(INTEGER, numbers)?;
    let (s, numbers) = element(INTEGER, numbers)?;
    let is_whole = rest.is_empty() && numbers.is_empty();
    Some((padded(r)?, padded(s)?)).filter(|_| is_whole)
}

/// Splits off a DER element of up to 255 bytes, and gives its content and what follows.
fn element(tag: u8, der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = match der.strip_prefix(&[tag])? {
        [length @ 0..=0x7f, rest @ ..] | [0x81, length @ 0x80..=0xff, rest @ ..] => (length, rest),
        _ => return None,
    };
    rest.split_at_checked(usize::from(*length))
}

/// Makes a positive DER integer as long as the curve's numbers are.
fn padded<const N: usize>(integer: &[u8]) -> Option<[u8; N]> {
    let digits = match integer {
        [0, 0x80..=0xff, ..] => &integer[1..],
        [0..=0x7f, ..] => integer,
        _ => return None,
    };
    let mut number = [0; N];
    number[N.checked_sub(digits.len())?..].copy_from_slice(digits);
    Some(number)
}
