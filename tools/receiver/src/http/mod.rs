//! What all routes share.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`reply`] | the JSON that requests are answered with |
//! | [`room`](mod@room) | the data directory, and how much is free there |
//! | [`size`] | sizes in messages |
//! | [`fields`] | the fields of a form, within limits |
//! | [`parameters`] | the parameters of a header's value |
//! | [`body`] | a small body, read as a whole |
//! | [`conditions`] | conditional requests |
//! | [`host`] | the host that a request names |

pub mod body;
pub mod conditions;
pub mod fields;
pub mod host;
pub mod parameters;
pub mod reply;
pub mod room;
pub mod size;
