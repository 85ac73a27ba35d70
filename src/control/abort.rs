//! A way to end a blocked connection from another thread.

use std::fmt;

/// A handle that ends an exchange from another thread: a call that is blocked on its socket returns
/// with an error.
pub(crate) struct AbortHandle(Box<dyn FnOnce() + Send>);

impl AbortHandle {
    /// Makes a handle that calls `abort`, once.
    pub(crate) fn new(abort: impl FnOnce() + Send + 'static) -> Self {
        AbortHandle(Box::new(abort))
    }

    /// Ends the exchange.
    pub(crate) fn abort(self) {
        (self.0)();
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AbortHandle")
    }
}
