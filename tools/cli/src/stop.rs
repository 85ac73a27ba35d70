//! The signals that end the program: Ctrl-C and SIGTERM.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// The signal that has arrived, if any. The first one is kept here, a second one ends the program at once.
#[derive(Debug, Default)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Handles signals from now on.
    pub fn listen() -> io::Result<Self> {
        let stop = Stop::default();
        let again = Arc::new(AtomicBool::new(false));
        for (signal, exit) in [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)] {
            // In this order: the first signal must not see the flag that it sets itself.
            flag::register_conditional_shutdown(signal, exit.code().into(), again.clone())?;
            flag::register(signal, again.clone())?;
            flag::register_usize(signal, stop.signal.clone(), signal as usize)?;
        }
        Ok(stop)
    }

    /// The exit code for the signal that has arrived.
    pub fn exit(&self) -> Option<Exit> {
        match self.signal.load(Ordering::SeqCst) {
            0 => None,
            signal if signal == SIGINT as usize => Some(Exit::Interrupted),
            _ => Some(Exit::Terminated),
        }
    }
}
