//! Short writes joined with what follows them.
//!
//! ureq writes a request's head by itself, and the body after it. For a small file that is two
//! packets, two system calls and two wake-ups of the server where one would do. This layer, next
//! to [`early::Bottom`](super::early::Bottom), which knows what to do when a write fails, holds a
//! short write back until the next one, or until input is awaited.
#![forbid(unsafe_code)]

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::Error;

/// Longer writes are packets of their own in any case.
const SHORT: usize = 4 * 1024;
/// Nor is more joined: the layers below need room.
const MOST: usize = 32 * 1024;

/// Makes the layer that joins writes.
#[derive(Debug)]
pub(super) struct Join;

impl<In: Transport> Connector<In> for Join {
    type Out = JoinTransport<In>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|inner| JoinTransport {
            inner,
            held: Vec::new(),
        }))
    }
}

#[derive(Debug)]
pub(super) struct JoinTransport<In> {
    inner: In,
    /// What was to be written, and was not yet.
    held: Vec<u8>,
}

impl<In: Transport> JoinTransport<In> {
    /// Writes what is held, and `amount` bytes of the output after it.
    fn write(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let held = self.held.len();
        if held == 0 {
            return self.inner.transmit_output(amount, timeout);
        }
        let output = self.inner.buffers().output();
        if held + amount > MOST {
            let rest = output[..amount].to_vec();
            output[..held].copy_from_slice(&self.held);
            self.held.clear();
            self.inner.transmit_output(held, timeout)?;
            self.inner.buffers().output()[..amount].copy_from_slice(&rest);
            return self.inner.transmit_output(amount, timeout);
        }
        output.copy_within(..amount, held);
        output[..held].copy_from_slice(&self.held);
        self.held.clear();
        self.inner.transmit_output(held + amount, timeout)
    }
}

impl<In: Transport> Transport for JoinTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.held.is_empty() && amount <= SHORT {
            let output = &self.inner.buffers().output()[..amount];
            self.held.extend_from_slice(output);
            return Ok(());
        }
        self.write(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        if !self.held.is_empty() {
            self.write(0, timeout)?;
        }
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ureq::unversioned::transport::LazyBuffers;

    /// Keeps what is written, write by write.
    #[derive(Debug)]
    struct Wire {
        buffers: LazyBuffers,
        written: Vec<Vec<u8>>,
    }

    impl Transport for Wire {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, amount: usize, _: NextTimeout) -> Result<(), Error> {
            let bytes = self.buffers.output()[..amount].to_vec();
            self.written.push(bytes);
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
            Ok(true)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    /// The lengths of what is written for writes of these lengths, after which input is awaited.
    fn written(lengths: &[usize]) -> Vec<usize> {
        let inner = Wire {
            buffers: LazyBuffers::new(1024, 64 * 1024),
            written: Vec::new(),
        };
        let held = Vec::new();
        let mut join = JoinTransport { inner, held };
        let mut all = Vec::new();
        for (i, length) in lengths.iter().enumerate() {
            let bytes = vec![i as u8; *length];
            join.buffers().output()[..*length].copy_from_slice(&bytes);
            all.extend(bytes);
            join.transmit_output(*length, NextTimeout::default())
                .unwrap();
        }
        join.await_input(NextTimeout::default()).unwrap();
        assert!(join.inner.written.concat() == all, "{lengths:?}");
        join.inner.written.iter().map(Vec::len).collect()
    }

    #[test]
    fn a_head_goes_with_the_body_if_that_is_short() {
        assert_eq!(written(&[300]), [300]);
        assert_eq!(written(&[300, 5000]), [5300]);
        assert_eq!(written(&[300, 20]), [320]);
        assert_eq!(written(&[300, 20, 30]), [320, 30]);
        assert_eq!(written(&[300, 64 * 1024, 7]), [300, 64 * 1024, 7]);
        assert_eq!(written(&[5000, 300]), [5000, 300]);
        assert_eq!(written(&[0, 0]), [0usize; 0]);
    }
}
