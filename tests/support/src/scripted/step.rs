//! What the server does with a request.

use std::time::Duration;

use super::reply;

/// How much of a request is read. The head is always read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing of the body.
    HeadOnly,
    /// This many bytes of the body, or all if it is shorter.
    HeadAndBodyBytes(u64),
    /// The body as far as its Content-Length says. Chunked bodies are not known here.
    All,
}

/// How a step leaves the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The rest of the body is read, and then the next request.
    KeepAlive,
    /// FIN, and the socket is closed at once. If the client has sent something that was not
    /// read, the system lets a reset follow, as it does with most servers.
    Close,
    /// RST.
    Reset,
    /// FIN after the response; then what the client still sends is read and counted, until it
    /// ends, or up to a limit.
    DrainThenClose {
        /// The most bytes to read.
        max_bytes: u64,
        /// The most time to spend.
        max_time: Duration,
    },
    /// The connection stays open; nothing is read or written any more.
    HoldOpen,
}

/// The acts for one request.
#[derive(Clone, Debug)]
pub struct Step {
    pub(super) acts: Vec<Act>,
    pub(super) end: End,
    pub(super) sends_continue: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Read(Read),
    Wait(Duration),
    Write(Vec<u8>),
}

impl Step {
    /// Reads the head, writes nothing, keeps the connection.
    pub fn new() -> Self {
        Self {
            acts: Vec::new(),
            end: End::KeepAlive,
            sends_continue: true,
        }
    }

    /// Reads the whole request and responds with JSON.
    pub fn reply(status: u16, json_body: &str) -> Self {
        Self::new().read(Read::All).write(reply(status, json_body))
    }

    /// Reads more of the request.
    pub fn read(mut self, read: Read) -> Self {
        self.acts.push(Act::Read(read));
        self
    }

    /// Waits.
    pub fn wait(mut self, time: Duration) -> Self {
        self.acts.push(Act::Wait(time));
        self
    }

    /// Writes these bytes as they are: a whole response, a piece of one, a 1xx, or garbage.
    pub fn write(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.acts.push(Act::Write(bytes.into()));
        self
    }

    /// Sets how the step leaves the connection.
    pub fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    /// Sends no `100 Continue` to a client that expects it. By default it is sent when the step begins to read
    /// the body.
    pub fn ignore_expect(mut self) -> Self {
        self.sends_continue = false;
        self
    }
}

impl Default for Step {
    fn default() -> Self {
        Self::new()
    }
}
