//! The processor's floating-point state: the library's while it runs, the host's in the host.
//!
//! Delphi, Free Pascal and others leave exceptions unmasked, with which the first inexact sum of
//! the library would end the program. Threads of the library begin with its own state, since
//! they are started within an entry: a thread inherits its maker's state, or gets the default.

use std::cell::Cell;

thread_local! {
    /// The host's state while this thread is in the library.
    static HOST: Cell<Option<State>> = const { Cell::new(None) };
}

/// Runs the body of an entry in the library's state; afterwards the host has its own back.
pub(super) fn ours<T>(body: impl FnOnce() -> T) -> T {
    HOST.set(Some(State::replace_by_default()));
    let back = Back;
    let value = body();
    drop(back);
    value
}

/// Gives the host its state back, also when a panic leaves the body.
struct Back;

impl Drop for Back {
    fn drop(&mut self) {
        if let Some(state) = HOST.take() {
            state.restore();
        }
    }
}

/// Runs a function of the host in the host's state, which that may change.
pub(super) fn hosts<T>(function: impl FnOnce() -> T) -> T {
    // There is none on a thread that no host has come in by.
    let Some(state) = HOST.take() else {
        return function();
    };
    state.restore();
    let value = function();
    HOST.set(Some(State::replace_by_default()));
    value
}

/// Control, exception flags and all else but the registers' contents.
#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
#[derive(Clone, Copy, Default)]
struct State {
    /// What `fnstenv` writes.
    x87: [u32; 7],
    mxcsr: u32,
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
impl State {
    /// The thread's state; from now on that is the default, in which Rust computes.
    fn replace_by_default() -> Self {
        const CONTROL: u16 = 0x037f;
        const MXCSR: u32 = 0x1f80;
        let mut was = State::default();
        // SAFETY: 28 and 4 bytes of `was` are written, two constants are read. The control words
        // set are the ones that Rust code expects; no register's contents change.
        unsafe {
            std::arch::asm!(
                "fnstenv [{x87}]",
                "stmxcsr [{mxcsr}]",
                "fldcw [{control}]",
                "ldmxcsr [{default}]",
                x87 = in(reg) &mut was.x87,
                mxcsr = in(reg) &mut was.mxcsr,
                control = in(reg) &CONTROL,
                default = in(reg) &MXCSR,
                options(nostack)
            );
        }
        was
    }

    /// Makes this the thread's state, which it was before.
    fn restore(self) {
        // SAFETY: reads what `replace_by_default` wrote; the processor gave these values, so it
        // takes them. Up to the host's code, which they belong to, nothing is computed in floating
        // point any more.
        unsafe {
            std::arch::asm!(
                "fldenv [{x87}]",
                "ldmxcsr [{mxcsr}]",
                x87 = in(reg) &self.x87,
                mxcsr = in(reg) &self.mxcsr,
                options(nostack, readonly)
            );
        }
    }
}

/// Other processors' exceptions are masked from the start, and hosts leave them so.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
#[derive(Clone, Copy)]
struct State;

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
impl State {
    fn replace_by_default() -> Self {
        State
    }

    fn restore(self) {}
}
