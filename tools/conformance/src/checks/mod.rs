//! The checks, in the order of docs/PROTOCOL.md, with one file for each subject. [`check`] has
//! their type, [`quotes`] the sentences of the document that they are about.
//!
//! A check's function is named after the end of its id: `restart-late` is `restart::late`.

mod agreement;
mod broken;
pub mod check;
mod conflicts;
mod continuing;
mod digests;
mod discard;
mod early;
mod identity;
mod instant;
mod limits;
mod locate;
mod login;
mod names;
mod newer;
mod owners;
mod parts;
pub mod quotes;
mod refusals;
mod responses;
mod restart;
mod runs;
mod send;
mod signing;
mod stores;
mod writers;

use check::Check;

/// Lists all checks.
pub fn all() -> impl Iterator<Item = &'static Check> {
    [
        locate::CHECKS,
        instant::CHECKS,
        send::CHECKS,
        restart::CHECKS,
        broken::CHECKS,
        writers::CHECKS,
        agreement::CHECKS,
        continuing::CHECKS,
        stores::CHECKS,
        parts::CHECKS,
        runs::CHECKS,
        discard::CHECKS,
        conflicts::CHECKS,
        digests::CHECKS,
        limits::CHECKS,
        refusals::CHECKS,
        early::CHECKS,
        responses::CHECKS,
        identity::CHECKS,
        names::CHECKS,
        owners::CHECKS,
        signing::CHECKS,
        login::CHECKS,
    ]
    .into_iter()
    .flatten()
}
