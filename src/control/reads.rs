//! Requests to the program's stream, read on the program's thread.

/// A request to the program's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadRequest {
    /// The size of the stream in bytes.
    Size,
    /// The bytes from this offset on.
    Bytes(u64),
    /// At most so many of the next bytes, into the stream's window.
    Next(usize),
}

/// The data that the stream gave for a request.
#[derive(Debug)]
pub(crate) enum ReadData {
    Size(u64),
    Bytes(Vec<u8>),
    /// The bytes are in the stream's window, or its end is known there.
    InWindow,
}

/// The reply to a request: the stream's data, or the reason why there are none.
pub(crate) type ReadReply = Result<ReadData, String>;

/// The current request and its reply. A new request replaces both.
#[derive(Debug, Default)]
pub(super) struct ReadRequests {
    /// Counts the requests, so that a late reply is not mistaken for the reply to the next one.
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

    /// Stores the reply to request `number`, if that is the current one. Gives whether it is.
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
