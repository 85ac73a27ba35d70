//! What all routes share.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`reply`] | the JSON that requests are answered with |
//! | [`size`] | sizes in messages |
//! | [`fields`] | the fields of a form, within limits |
//! | [`body`] | a small body, read as a whole |

pub mod body;
pub mod fields;
pub mod reply;
pub mod size;
