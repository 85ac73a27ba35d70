//! The question whether an upload may be made, and the answer.

use std::net::IpAddr;

use axum::http::StatusCode;
use resup_digests::{Algorithm, Digest};
use serde::{Deserialize, Serialize};

use crate::config::times;
use crate::hooks::hook::Hook;
use crate::hooks::message::{Message, LONGEST};
use crate::http::fields::MAX_DIR;
use crate::http::reply::{excerpt, Reply};
use crate::storage::database::now;
use crate::storage::events::Origin;
use crate::storage::names;
use crate::storage::record::{Concat, Record, Renamed};

/// The statuses that a refusal may have. Others have a meaning in the protocols: clients would log in, wait or begin again.
const STATUSES: [u16; 7] = [400, 402, 403, 413, 415, 422, 451];
/// How many questions are asked at a time.
pub const AT_ONCE: usize = 64;
/// The longest text for a person, in characters.
const MESSAGE: usize = 500;

/// The question.
#[derive(Serialize)]
struct Question<'q> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Data<'q>,
}

#[derive(Serialize)]
struct Data<'q> {
    upload: &'q str,
    user: Option<&'q str>,
    peer: Option<IpAddr>,
    protocol: Option<&'static str>,
    name: &'q str,
    dir: &'q str,
    size: Option<u64>,
    mtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    /// Whether it is only a piece of a file, as tus has them.
    partial: bool,
}

/// The answer. A member that is not known is a mistake, which must not let an upload in.
#[derive(Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct Answer {
    accept: Option<bool>,
    status: Option<u16>,
    message: Option<String>,
    name: Option<String>,
    dir: Option<String>,
}

/// Asks a hook whether an upload may be made, and gives the file the name that the hook says.
pub async fn ask(hook: &Hook, record: &mut Record, origin: Origin) -> Result<(), Reply> {
    let file = &record.identity;
    let given = file.digests();
    let digest = |algorithm| {
        let given = given.iter().find(|it| it.algorithm() == algorithm);
        given.map(Digest::hex)
    };
    let question = Question {
        kind: "upload.before",
        timestamp: times::text(now()),
        data: Data {
            upload: &record.id,
            user: Some(&*file.owner).filter(|owner| !owner.is_empty()),
            peer: origin.peer,
            protocol: origin.protocol,
            name: &file.name,
            dir: &file.dir,
            size: (!record.is_open).then_some(file.size),
            mtime: file.mtime.parse().ok(),
            md5: digest(Algorithm::Md5),
            sha256: digest(Algorithm::Sha256),
            blake3: digest(Algorithm::Blake3),
            partial: record.concat == Concat::Partial,
        },
    };
    let message = Message {
        id: &format!("before_{}", record.id),
        body: &serde_json::to_string(&question).expect("text and numbers become JSON"),
    };
    let answered = hook.call(message).await;
    match answered.and_then(|text| Answer::read(&text)) {
        Ok(answer) => {
            answer.check_refusal()?;
            record.renamed = answer.renamed(&record.identity.dir, &record.identity.name);
            Ok(())
        }
        Err(why) => {
            tracing::error!(
                id = record.id,
                "the hook {} does not say whether an upload may be made: {why}; it is answered 503",
                hook.target()
            );
            Err(Reply::refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the receiver's hook does not answer now: try again later",
            ))
        }
    }
}

impl Answer {
    /// Reads an answer. Nothing at all accepts.
    fn read(text: &[u8]) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("its answer has more than {LONGEST} bytes"));
        }
        let text = text.trim_ascii();
        if text.is_empty() {
            return Ok(Self::default());
        }
        let mut answer: Self = serde_json::from_slice(text)
            .map_err(|error| format!("its answer is not what the manual has: {error}"))?;
        // As a client may write it.
        if let Some(dir) = answer
            .dir
            .as_mut()
            .filter(|dir| dir.len() > 1 && dir.ends_with('/'))
        {
            dir.pop();
        }
        let wrong = |member: &str, value: &str, why: &str| {
            let value = excerpt(value);
            let value = value.escape_debug();
            Err(format!("{member} '{value}' in its answer {why}"))
        };
        if let Some(status) = answer.status.filter(|it| !STATUSES.contains(it)) {
            let why = format!("is none of {STATUSES:?}");
            return wrong("status", &status.to_string(), &why);
        }
        if let Some(Err(why)) = answer.name.as_deref().map(names::check_file) {
            return wrong("name", answer.name.as_deref().unwrap_or(""), &why);
        }
        let dir = answer.dir.as_deref().unwrap_or("");
        if dir.len() > MAX_DIR {
            return wrong("dir", dir, &format!("has more than {MAX_DIR} bytes"));
        }
        match names::check_dir(dir) {
            Ok(()) => Ok(answer),
            Err(why) => wrong("dir", dir, &format!("has a name that {why}")),
        }
    }

    fn check_refusal(&self) -> Result<(), Reply> {
        if self.accept.unwrap_or(true) {
            return Ok(());
        }
        let status = StatusCode::from_u16(self.status.unwrap_or(403)).expect("it was checked");
        let message = self
            .message
            .as_deref()
            .unwrap_or("this upload is not taken here");
        let message: String = message.chars().take(MESSAGE).collect();
        Err(Reply::refusal(status, message))
    }

    /// Where the file is to be stored, if that is not where the client wants it.
    fn renamed(self, dir: &str, name: &str) -> Option<Renamed> {
        let to = Renamed {
            dir: self.dir.unwrap_or_else(|| dir.to_owned()),
            name: self.name.unwrap_or_else(|| name.to_owned()),
        };
        (to.dir != dir || to.name != name).then_some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_manual_has_is_an_answer() {
        for accepts in ["", " \n", "{}", "{\"accept\": true}"] {
            let answer = Answer::read(accepts.as_bytes()).unwrap();
            assert!(answer.check_refusal().is_ok(), "{accepts}");
        }
        let refused =
            Answer::read(b"{\"accept\": false, \"status\": 413, \"message\": \"too much\"}");
        let reply = refused.unwrap().check_refusal().unwrap_err();
        assert_eq!(
            (reply.status().as_u16(), reply.message()),
            (413, "too much")
        );
        let answer = Answer::read(b"{\"dir\": \"in/new/\"}").unwrap();
        assert_eq!(answer.dir.as_deref(), Some("in/new"));
        let long = " ".repeat(LONGEST + 1);
        for (wrong, why) in [
            (&*long, "more than"),
            ("{\"dir\": \"a//\"}", "dir 'a/'"),
            ("{\"dir\": \"/\"}", "dir '/'"),
            ("no", "not what the manual has"),
            ("[]", "not what the manual has"),
            ("{\"acept\": false}", "acept"),
            ("{\"accept\": false, \"status\": 401}", "status '401'"),
            ("{\"name\": \"../x\"}", "name '../x'"),
            ("{\"name\": \"\"}", "name ''"),
            ("{\"dir\": \"/etc\"}", "dir '/etc'"),
            ("{\"dir\": \"a/../b\"}", "dir 'a/../b'"),
        ] {
            let error = Answer::read(wrong.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
