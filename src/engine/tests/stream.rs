//! A stream without a size, as the source of a random history.

use super::world::{Held, World};
use super::*;

/// The most bytes of the window in these tests.
const WINDOW: u64 = 8 << 20;

/// A stream without a size, of which no byte can be read twice.
#[derive(Default)]
pub(super) struct Stream {
    /// So many bytes were read.
    read: u64,
    /// So many bytes were confirmed, and are gone.
    passed: u64,
    pub has_ended: bool,
}

impl World {
    /// Makes the source a stream without a size: a new upload, in which nothing is compared.
    pub fn read_a_stream(&mut self) {
        self.stream = Some(Stream::default());
        self.server.held = Held::nothing();
        self.server.complete = false;
        (self.was_complete, self.was_foreign, self.hashing) = (false, false, false);
    }

    /// Goes on from an offset.
    pub fn settle(&mut self, offset: u64) -> Event {
        let Some(stream) = &mut self.stream else {
            return Event::Settled;
        };
        if offset < stream.passed || offset > stream.read {
            let why = format!("{offset} is not in the window");
            return Event::Stopped(Stop::Failed(match offset < stream.passed {
                true => Error::stream_failed(why),
                false => Error::BadOffset { why },
            }));
        }
        stream.passed = offset;
        Event::Settled
    }

    /// Reads the next bytes. A stream whose bytes end with the window may not have told its end.
    pub fn fill(&mut self, offset: u64, most: u64) -> Event {
        let length = most.min(WINDOW).min(self.size - offset);
        let stream = self.stream.as_mut().expect("only a stream is read ahead");
        assert!(offset >= stream.passed && !stream.has_ended);
        stream.read = stream.read.max(offset + length);
        let ends = length < most.min(WINDOW);
        stream.has_ended = ends;
        Event::Filled {
            length,
            size: ends.then_some(self.size),
        }
    }
}
