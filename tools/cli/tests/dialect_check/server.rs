//! A server that takes chunks, and answers as a test wants it.

use resup_test_support::scripted::{Request, ScriptedServer, Step};

/// Its answers.
#[derive(Clone)]
pub struct Answers {
    /// To a request with a chunk or a file.
    pub sent: Step,
    /// The status for a chunk that it has, and for one that it does not have.
    pub has: u16,
    pub missing: u16,
    /// The body for the question about its bytes; `N` stands for their number.
    pub state: Option<&'static str>,
    /// To the request at `/done`.
    pub done: Step,
}

impl Default for Answers {
    fn default() -> Self {
        Answers {
            sent: Step::reply(200, r#"{"ok": true}"#),
            has: 200,
            missing: 404,
            state: None,
            done: Step::reply(200, "{}"),
        }
    }
}

/// The server.
pub struct Server(ScriptedServer);

impl Server {
    /// Starts it, without a chunk.
    pub fn start(answers: Answers) -> Self {
        let (mut chunks, mut bytes) = (0, 0);
        let mut known: Option<String> = None;
        Server(ScriptedServer::start_with(move |head, _| {
            let query = head.query();
            let field = |wanted: &str| {
                let mut found = query.iter().filter(|(name, _)| name == wanted);
                found.next().map(|(_, value)| value.clone())
            };
            if head.target.contains("done") {
                return answers.done.clone();
            }
            if head.method != "GET" {
                chunks += 1;
                // The bytes of a chunk of these tests.
                bytes = (bytes + 1000).min(2500);
                return answers.sent.clone();
            }
            if let Some(body) = answers.state {
                return Step::reply(200, &body.replace('N', &bytes.to_string()));
            }
            // The names of the presets are these after the widget's.
            let last = |names: &[&str]| {
                let is_it = |name: &str| names.iter().any(|it| name.to_lowercase().ends_with(it));
                let mut found = query.iter().filter(|(name, _)| is_it(name));
                found.next().map(|(_, value)| value.clone())
            };
            let id = last(&["identifier"]).or(last(&["id"]));
            let number = last(&["chunknumber"]).or(field("n"));
            let is_known =
                known.get_or_insert(id.clone().unwrap_or_default()) == &id.unwrap_or_default();
            let number: u64 = number.and_then(|it| it.parse().ok()).unwrap_or(1);
            match is_known && number <= chunks {
                true => Step::reply(answers.has, ""),
                false => Step::reply(answers.missing, ""),
            }
        }))
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        self.0.endpoint()
    }

    /// Returns the requests that it has got.
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests()
    }
}
