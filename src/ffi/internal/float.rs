//! The processor's floating-point state: one for the library, one for the program.
//!
//! Delphi, Free Pascal and others leave exceptions unmasked, with which the first inexact sum of
//! the library would end the program. Threads of the library begin with its own state, since
//! they are started within an entry: a thread inherits its maker's state, or gets the default.

use std::cell::Cell;

thread_local! {
    /// The program's state while this thread is in the library.
    static PROGRAM: Cell<Option<State>> = const { Cell::new(None) };
}

/// Runs the body of an entry in the library's state, and restores the program's.
pub(crate) fn in_library_state<T>(body: impl FnOnce() -> T) -> T {
    PROGRAM.set(Some(State::replace_by_default()));
    let restore = Restore;
    let value = body();
    drop(restore);
    value
}

/// Restores the program's state when it is dropped, also when a panic leaves the body.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(state) = PROGRAM.take() {
            state.restore();
        }
    }
}

/// Runs a function of the program in the program's state, which that may change.
pub(crate) fn in_program_state<T>(function: impl FnOnce() -> T) -> T {
    // There is none on a thread by which no program has come in.
    let Some(state) = PROGRAM.take() else {
        return function();
    };
    state.restore();
    let value = function();
    PROGRAM.set(Some(State::replace_by_default()));
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
        // takes them. Up to the program's code, which they belong to, nothing is computed in floating
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

/// Other processors' exceptions are masked from the start, and programs leave them so.
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
