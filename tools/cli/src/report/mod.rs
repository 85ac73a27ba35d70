//! Reports about the uploads: bars on a terminal, lines elsewhere, JSON for programs.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`reporter`] | the interface of all reports |
//! | `bars` | progress bars |
//! | `lines` | plain lines |
//! | `json` | one JSON object a line |

mod bars;
mod json;
mod lines;
pub mod reporter;

use std::io::{self, IsTerminal};
use std::sync::Arc;

use crate::options::Output;
use crate::tree::Item;
use reporter::Reporter;

/// Chooses the report for the command line and the terminal.
pub fn choose(output: &Output, items: &[Arc<Item>]) -> Arc<dyn Reporter> {
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if output.json {
        Arc::new(json::Json::default())
    } else if output.quiet || dumb || !io::stderr().is_terminal() {
        Arc::new(lines::Lines::new(output.quiet))
    } else {
        Arc::new(bars::Bars::new(items))
    }
}
