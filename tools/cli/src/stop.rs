//! The signals that end the program: Ctrl-C and SIGTERM.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// The first signal that has arrived, if any. A second signal ends the program at once.
#[derive(Debug, Default, Clone)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Installs the signal handlers.
    pub fn listen() -> io::Result<Self> {
        let stop = Stop::default();
        let repeated = Arc::new(AtomicBool::new(false));
        for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
            // The order matters: the first signal must not see the flag that it sets itself.
            flag::register_conditional_shutdown(signal, exit.code().into(), repeated.clone())?;
            flag::register(signal, repeated.clone())?;
            flag::register_usize(signal, stop.signal.clone(), signal as usize)?;
        }
        Ok(stop)
    }

    /// Returns the exit code for the signal that has arrived.
    pub fn exit(&self) -> Option<Exit> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            signal if signal == SIGINT as usize => Some(Exit::Interrupted),
            _ => Some(Exit::Terminated),
        }
    }
}
