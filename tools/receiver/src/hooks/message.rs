//! A message to a hook.

/// The most bytes of an answer that are read.
pub const LONGEST: usize = 64 * 1024;

/// A message.
pub struct Message<'m> {
    /// Its id, the same in each attempt.
    pub id: &'m str,
    /// Its text, which is JSON.
    pub body: &'m str,
}
