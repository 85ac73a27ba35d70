//! Hooks: what the operator's own programs and servers say about an upload before it is made, and are told of a file
//! when it is finished.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`after`] | finished files that the hook is told of, until it has taken each |
//! | [`before`] | the question whether an upload may be made, and the answer |
//! | [`hook`] | a call of a hook |
//! | `http` | a call by HTTP |
//! | `message` | a message to a hook |
//! | `program` | a run of a program |
//! | `secret` | the signature of calls by HTTP |

pub mod after;
pub mod before;
pub mod hook;
mod http;
mod message;
mod program;
mod secret;
