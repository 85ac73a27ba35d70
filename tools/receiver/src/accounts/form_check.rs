//! What a form's fields must say before the endpoint listens to them: whose it is, and its signature.

use axum::http::request::Parts;
use axum::http::StatusCode;

use crate::accounts::guard::has_token;
use crate::accounts::signing::Signing;
use crate::accounts::{Proof, Visitor};
use crate::app::App;
use crate::http::answer::{excerpt, Answer};
use crate::http::fields::Fields;
use crate::storage::changes::now;
use crate::storage::store::Store;

/// How far a signed form's clock may be off, in milliseconds.
const SKEW: i64 = 5 * 60 * 1000;

/// The check of one request.
pub struct Gate<'a> {
    store: &'a Store,
    visitor: &'a Visitor,
    /// What the form is to be signed with, if it is to be.
    signing: Option<&'a Signing>,
    sign: String,
}

impl<'a> Gate<'a> {
    /// The page's own requests are known by the session's token and need no signature.
    pub fn new(app: &'a App, visitor: &'a Visitor, head: &Parts) -> Self {
        let signing = app.accounts.signing.as_deref();
        Self {
            store: &app.store,
            visitor,
            signing: signing.filter(|_| !has_token(visitor, head)),
            sign: String::new(),
        }
    }

    /// Whose the form is. Its uploads are found under this name.
    pub fn owner(&self) -> &'a str {
        &self.visitor.owner
    }

    /// Checks the fields before the file.
    pub async fn head(&mut self, fields: &Fields) -> Result<(), Answer> {
        if let Some(signing) = self.signing {
            self.check_signature(signing, fields).await?;
        }
        let user = fields.text("user").unwrap_or("");
        if self.visitor.by != Proof::Nobody && !user.is_empty() && user != self.visitor.owner {
            return Err(Answer::refusal(
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

    /// Checks those after it.
    pub fn tail(&self, fields: &Fields) -> Result<(), Answer> {
        let sign = Some(("sign", self.sign.as_str()));
        match self.signing {
            Some(signing) if !signing.is_right(fields, "sign_tail", sign) => Err(not_signed()),
            _ => Ok(()),
        }
    }

    async fn check_signature(&mut self, signing: &Signing, fields: &Fields) -> Result<(), Answer> {
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
        if !is_nonce || ts.abs_diff(now()) > SKEW.unsigned_abs() {
            return Err(not_signed());
        }
        // Until the time stamp alone would refuse it, and the second that a stamp does not tell.
        let expires = ts + SKEW + 1000;
        if !self.store.is_new(nonce, expires).await? {
            return Err(not_signed());
        }
        text("sign").clone_into(&mut self.sign);
        Ok(())
    }
}

/// Tells nothing of what is wrong.
fn not_signed() -> Answer {
    Answer::refusal(
        StatusCode::FORBIDDEN,
        "the form is not signed as this receiver asks for",
    )
}
