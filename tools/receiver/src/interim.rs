//! Interim responses (1xx), which hyper does not write for its handlers. They go out between the messages that hyper
//! writes.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{ready, Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is to be written before the next response of a connection. The server adds it to each request as an extension.
#[derive(Clone, Default)]
pub struct Interim(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Wakes the task that waits for the request's bytes.
    reader: Option<Waker>,
}

impl Interim {
    /// Leaves an interim response. It goes out when the connection is read from the next time, and is lost if that does not
    /// happen before the response.
    pub fn send(&self, response: &str) {
        let mut waiting = self.lock();
        waiting.bytes.extend_from_slice(response.as_bytes());
        if let Some(reader) = waiting.reader.take() {
            reader.wake();
        }
    }

    /// Forgets what has not gone out.
    pub fn clear(&self) {
        self.lock().bytes.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that writes interim responses, too.
pub struct Stream<S> {
    inner: S,
    interim: Interim,
    /// What is being written.
    begun: Vec<u8>,
    /// Whether hyper has written something that it has not flushed: perhaps there is more of it.
    is_amid: bool,
}

impl<S> Stream<S> {
    /// Wraps a connection.
    pub fn new(inner: S, interim: Interim) -> Self {
        Self {
            inner,
            interim,
            begun: Vec::new(),
            is_amid: false,
        }
    }
}

impl<S: AsyncWrite + Unpin> Stream<S> {
    /// Ends what was begun.
    fn write_begun(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.begun.is_empty() {
            let count = ready!(Pin::new(&mut self.inner).poll_write(context, &self.begun))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.begun.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.is_amid {
            let waiting = std::mem::take(&mut self.interim.lock().bytes);
            self.begun.extend(waiting);
        }
        if !self.begun.is_empty() {
            // A client that does not read must not keep its own bytes from being read.
            if self.write_begun(context)?.is_ready() {
                let _ = Pin::new(&mut self.inner).poll_flush(context)?;
            }
        }
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_pending() {
            let mut waiting = self.interim.lock();
            waiting.reader = Some(context.waker().clone());
            if !waiting.bytes.is_empty() && !self.is_amid {
                // It was left in this moment.
                context.waker().wake_by_ref();
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_begun(context))?;
        self.is_amid = true;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_begun(context))?;
        ready!(Pin::new(&mut self.inner).poll_flush(context))?;
        self.is_amid = false;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_begun(context))?;
        self.is_amid = true;
        Pin::new(&mut self.inner).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
