//! The signals that end the program: Ctrl-C and SIGTERM.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use signal_hook::consts::SIGINT;

use crate::exit::Exit;

/// The first signal that has arrived, if any. A second signal ends the program at once.
#[derive(Debug, Default, Clone)]
pub struct Stop {
    signal: Arc<AtomicUsize>,
}

impl Stop {
    /// Installs the signal handlers.
    #[cfg(not(windows))]
    pub fn listen() -> io::Result<Self> {
        use signal_hook::consts::SIGTERM;
        use signal_hook::flag;
        use std::sync::atomic::AtomicBool;

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

    /// Has Windows tell of Ctrl-C and Ctrl-Break.
    #[cfg(windows)]
    pub fn listen() -> io::Result<Self> {
        let stop = Stop::default();
        let signal = stop.signal.clone();
        let handler = move || {
            if signal.swap(SIGINT as usize, Ordering::SeqCst) != 0 {
                std::process::exit(Exit::Interrupted.code().into());
            }
        };
        ctrlc::set_handler(handler).map_err(io::Error::other)?;
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
