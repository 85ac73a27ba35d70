//! What an upload does next.

pub(crate) mod budget;
pub(crate) mod segments;
