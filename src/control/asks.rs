//! Questions to the host's reader, answered on the host's thread.
#![forbid(unsafe_code)]

use super::{lock, Control};
use crate::error::Error;
use crate::source::stream::{Ask, Told};

/// One question at a time; a new one replaces what was asked and told before.
#[derive(Debug, Default)]
pub(super) struct Asks {
    /// Counts the questions, so that a late answer is not taken for that of the next one.
    number: u64,
    asked: Option<Ask>,
    told: Option<Told>,
}

impl Asks {
    /// The question that the host has not seen yet.
    pub(super) fn due(&mut self) -> Option<(u64, Ask)> {
        self.asked.take().map(|ask| (self.number, ask))
    }
}

impl Control {
    /// Asks the host's reader; [`told`](Self::told) gives the answer.
    pub(crate) fn ask(&self, ask: Ask) {
        let asks = &mut lock(&self.mail).asks;
        asks.number += 1;
        asks.asked = Some(ask);
        asks.told = None;
        self.changed.notify_all();
    }

    /// Waits for the answer; fails as [`check`](Self::check) does.
    pub(crate) fn told(&self) -> Result<Told, Error> {
        let mut mail = lock(&self.mail);
        loop {
            self.check()?;
            if let Some(told) = mail.asks.told.take() {
                return Ok(told);
            }
            mail = self.changed.wait(mail).unwrap_or_else(|e| e.into_inner());
        }
    }

    /// The host's answer.
    pub(crate) fn tell(&self, number: u64, told: Told) {
        let asks = &mut lock(&self.mail).asks;
        if number == asks.number {
            asks.told = Some(told);
            self.changed.notify_all();
        }
    }
}
