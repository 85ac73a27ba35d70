//! Checks of a form's fields before the endpoint uses them: the user and the signature.

use axum::http::request::Parts;
use axum::http::StatusCode;

use crate::accounts::csrf::has_token;
use crate::accounts::signing::Signing;
use crate::accounts::visitor::{Login, Visitor};
use crate::http::fields::Fields;
use crate::http::reply::{excerpt, Reply};
use crate::storage::database::now;
use crate::storage::store::Store;

/// How much a signed form's time may differ from this machine's, in milliseconds.
const MAX_SKEW: i64 = 5 * 60 * 1000;

/// The check of one form.
pub struct FormCheck<'a> {
    store: &'a Store,
    visitor: &'a Visitor,
    /// The signature that the form needs, if it needs one.
    signing: Option<&'a Signing>,
    sign: String,
}

impl<'a> FormCheck<'a> {
    /// Makes a check. Requests of the receiver's own page have the session's CSRF token and need no signature.
    pub fn new(
        signing: Option<&'a Signing>,
        store: &'a Store,
        visitor: &'a Visitor,
        head: &Parts,
    ) -> Self {
        Self {
            store,
            visitor,
            signing: signing.filter(|_| !has_token(visitor, head)),
            sign: String::new(),
        }
    }

    /// The owner of the form's upload.
    pub fn owner(&self) -> &'a str {
        &self.visitor.owner
    }

    /// Checks the fields before the file.
    pub async fn check_head(&mut self, fields: &Fields) -> Result<(), Reply> {
        if let Some(signing) = self.signing {
            self.check_signature(signing, fields).await?;
        }
        let user = fields.text("user").unwrap_or("");
        if self.visitor.login != Login::None && !user.is_empty() && user != self.visitor.owner {
            return Err(Reply::refusal(
                StatusCode::FORBIDDEN,
                format!(
                    "the field 'user' says '{}', the login '{}'",
                    excerpt(user),
                    self.visitor.owner
                ),
            ));
        }
        Ok(())
    }

    /// Checks the fields after the file.
    pub fn check_tail(&self, fields: &Fields) -> Result<(), Reply> {
        let sign = Some(("sign", self.sign.as_str()));
        match self.signing {
            Some(signing) if !signing.is_right(fields, "sign_tail", sign) => Err(not_signed()),
            _ => Ok(()),
        }
    }

    async fn check_signature(&mut self, signing: &Signing, fields: &Fields) -> Result<(), Reply> {
        if !signing.is_right(fields, "sign", None) {
            return Err(not_signed());
        }
        let text = |name| fields.text(name).unwrap_or("");
        let nonce = text("nonce");
        let is_nonce = nonce.len() == 32 && nonce.bytes().all(|b| b.is_ascii_hexdigit());
        let ts = text("ts").parse::<i64>().ok();
        let Some(ts) = ts.and_then(|ts| ts.checked_mul(1000)) else {
            return Err(not_signed());
        };
        if !is_nonce || ts.abs_diff(now()) > MAX_SKEW.unsigned_abs() {
            return Err(not_signed());
        }
        // Later the time alone is wrong. One second more, since `ts` has no fractions.
        let expires = ts + MAX_SKEW + 1000;
        if !self.store.add_nonce(nonce, expires).await? {
            return Err(not_signed());
        }
        text("sign").clone_into(&mut self.sign);
        Ok(())
    }
}

/// The refusal of a form. It does not say what is wrong.
fn not_signed() -> Reply {
    Reply::refusal(
        StatusCode::FORBIDDEN,
        "the form is not signed as this receiver asks for: are the secret, the algorithm and the clock right?",
    )
}
