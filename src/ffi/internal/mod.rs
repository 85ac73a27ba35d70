//! What the sections of the header share.
//!
//! `boundary` catches panics and keeps messages, `float` sets the floating-point state, `pin` keeps
//! the library loaded, `change_time` asks Windows for the change times of files, `handle` is the
//! registry, `clients` and `entry` are what handles stand for, `text` reads strings, `callback` keeps
//! what the program registered.

pub(crate) mod boundary;
pub(crate) mod callback;
pub(crate) mod change_time;
pub(crate) mod clients;
pub(crate) mod entry;
pub(crate) mod float;
pub(crate) mod handle;
pub(crate) mod pin;
pub(crate) mod text;
