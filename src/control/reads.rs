//! Requests to the program's stream, answered on the program's thread.

/// A request to the program's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadRequest {
    /// How many bytes there are in the whole.
    Size,
    /// Bytes from this offset on.
    Bytes(u64),
}

/// What the stream gave for a request.
#[derive(Debug)]
pub(crate) enum ReadData {
    Size(u64),
    Bytes(Vec<u8>),
}

/// The answer to a request: what the stream gave, or why it gave nothing.
pub(crate) type ReadReply = Result<ReadData, String>;

/// One request at a time; a new one replaces the one before and its reply.
#[derive(Debug, Default)]
pub(super) struct ReadRequests {
    /// Counts the requests, so that a late reply is not taken for that to the next one.
    number: u64,
    request: Option<ReadRequest>,
    reply: Option<ReadReply>,
}

impl ReadRequests {
    /// Makes a request.
    pub(super) fn request(&mut self, request: ReadRequest) {
        self.number += 1;
        self.request = Some(request);
        self.reply = None;
    }

    /// Takes the request that the program has not seen yet.
    pub(super) fn next(&mut self) -> Option<(u64, ReadRequest)> {
        self.request.take().map(|request| (self.number, request))
    }

    /// Keeps the reply to request `number`, if that is the current one; whether it is.
    pub(super) fn reply(&mut self, number: u64, reply: ReadReply) -> bool {
        let current = number == self.number;
        if current {
            self.reply = Some(reply);
        }
        current
    }

    pub(super) fn take_reply(&mut self) -> Option<ReadReply> {
        self.reply.take()
    }
}
