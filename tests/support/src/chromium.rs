//! A real browser: Chromium without a window, controlled by its DevTools protocol.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use crate::tools;

/// How long a response of the browser may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shell script that starts Chromium with the protocol on the descriptors 3 and 4.
const ON_PIPES: &str = "exec \"$@\" 3<&0 4>&1 </dev/null >&2";

/// A running Chromium with one page. It ends when this is dropped.
pub struct Chromium {
    child: Child,
    requests: Option<ChildStdin>,
    messages: Receiver<Value>,
    /// Messages that came while another one was awaited.
    events: VecDeque<Value>,
    session: String,
    last_id: u64,
    // Held for its Drop, which removes the directory.
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts it; `None` when there is no Chromium here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](tools::find).
    pub fn start() -> Option<Self> {
        let binary = tools::find("chromium")?;
        let profile = tempfile::tempdir().expect("a directory");
        let mut child = Command::new("sh")
            .args(["-c", ON_PIPES, "sh"])
            .arg(binary)
            .args(["--headless=new", "--remote-debugging-pipe"])
            // Root has no sandbox, and containers have little shared memory.
            .args(["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"])
            // Nothing leaves this machine.
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args(["--disable-sync", "--no-first-run", "--no-proxy-server"])
            .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // It always complains about what a container lacks.
            .stderr(Stdio::null())
            .spawn()
            .expect("sh runs");
        let requests = child.stdin.take();
        let messages = read(child.stdout.take().expect("stdout"));
        let mut chromium = Self {
            child,
            requests,
            messages,
            events: VecDeque::new(),
            session: String::new(),
            last_id: 0,
            _profile: profile,
        };
        chromium.attach();
        Some(chromium)
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        let response = self.call("Target.attachToTarget", &target);
        let session = response["sessionId"].as_str().expect("a session");
        self.session = session.to_owned();
        self.call("Page.enable", &json!({}));
        let enabled = json!({"enabled": true});
        self.call("Page.setLifecycleEventsEnabled", &enabled);
    }

    /// Opens a page and waits until it is loaded.
    ///
    /// # Panics
    ///
    /// When it does not load.
    pub fn open(&mut self, url: &str) {
        self.events.clear();
        let response = self.call("Page.navigate", &json!({"url": url}));
        assert!(response.get("errorText").is_none(), "{url}: {response}");
        self.wait_for_load(&response["loaderId"]);
    }

    /// Runs a script in the page, as if the user had clicked.
    ///
    /// # Panics
    ///
    /// When it throws.
    pub fn run(&mut self, script: &str) {
        self.evaluate(script);
    }

    /// Chooses a file in the page's `input` that this selector finds.
    ///
    /// # Panics
    ///
    /// When there is no such `input`, or its path is not UTF-8.
    pub fn choose_file(&mut self, selector: &str, path: &Path) {
        let path = path.to_str().expect("a path in UTF-8");
        let script = format!("document.querySelector({})", json!(selector));
        let input = self.evaluate(&script);
        let choice = json!({"files": [path], "objectId": input["objectId"]});
        self.call("DOM.setFileInputFiles", &choice);
    }

    fn evaluate(&mut self, script: &str) -> Value {
        let script = json!({"expression": script, "userGesture": true});
        let response = self.call("Runtime.evaluate", &script);
        let thrown = response.get("exceptionDetails");
        assert!(thrown.is_none(), "{script}: {response}");
        response["result"].clone()
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        let mut request = json!({"id": id, "method": method, "params": params});
        if !self.session.is_empty() {
            request["sessionId"] = json!(self.session);
        }
        let requests = self.requests.as_mut().expect("a pipe to the browser");
        let written = requests.write_all(format!("{request}\0").as_bytes());
        written.expect("the browser takes requests");
        let until = Instant::now() + PATIENCE;
        loop {
            let message = self.receive(until, method);
            if message["id"] == json!(id) {
                let error = message.get("error");
                assert!(error.is_none(), "{method} {params}: {message}");
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    /// Waits until the page of this loader is loaded; the event of an earlier page may come late.
    fn wait_for_load(&mut self, loader: &Value) {
        let until = Instant::now() + PATIENCE;
        loop {
            let event = match self.events.pop_front() {
                Some(event) => event,
                None => self.receive(until, "Page.navigate"),
            };
            let of = &event["params"];
            if of["loaderId"] == *loader && of["name"] == json!("load") {
                return;
            }
        }
    }

    fn receive(&self, until: Instant, what: &str) -> Value {
        let time = until.saturating_duration_since(Instant::now());
        let message = self.messages.recv_timeout(time);
        message.unwrap_or_else(|_| panic!("the browser does not answer to {what}"))
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Chromium and its processes end when the pipe is closed.
        self.requests = None;
        let until = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads messages, each with a zero byte after it, until the pipe ends.
fn read(pipe: impl Read + Send + 'static) -> Receiver<Value> {
    let (sender, messages) = mpsc::channel();
    thread::spawn(move || {
        for message in BufReader::new(pipe).split(0) {
            let message = message.ok().and_then(|m| serde_json::from_slice(&m).ok());
            match message.map(|message| sender.send(message)) {
                Some(Ok(())) => {}
                _ => return,
            }
        }
    });
    messages
}
