//! What a check has to tell.

use resup::dialect::Step;
use resup::Error;

use super::advice::Finding;
use super::sample::Sample;
use crate::exit::Exit;

/// What is going to be done.
pub struct Plan<'a> {
    /// As the user has named it.
    pub dialect: &'a str,
    pub url: &'a str,
    pub sample: &'a Sample,
    /// Whether the dialect can ask what the server has.
    pub can_resume: bool,
}

/// What came of it.
pub struct Summary<'a> {
    pub exit: Exit,
    pub error: Option<&'a Error>,
    pub findings: &'a [Finding],
    pub requests: u64,
    /// The name of the file that the server may have, if it has got a byte.
    pub left: Option<&'a str>,
    /// Where the server has said that the file is.
    pub location: Option<&'a str>,
}

/// A report about a check.
pub trait Report {
    /// Tells what is going to be done.
    fn plan(&self, plan: &Plan<'_>);
    /// Tells what the next requests are for.
    fn phase(&self, text: &str);
    /// Tells a request, its response, and what the dialect's keys say about it.
    fn step(&self, number: u64, step: &Step);
    /// Tells what was seen.
    fn note(&self, text: &str);
    /// Tells which key is wrong.
    fn finding(&self, finding: &Finding);
    /// Tells the end.
    fn summary(&self, summary: &Summary<'_>);
}
