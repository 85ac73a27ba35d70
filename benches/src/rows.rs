//! The measurements. Each adds its rows to the report.

pub(crate) mod cancel;
pub(crate) mod curves;
pub(crate) mod files;
pub(crate) mod link;
pub(crate) mod loopback;
pub(crate) mod memory;
mod peers;
pub(crate) mod receiver;
pub(crate) mod resume;
pub(crate) mod several;
pub(crate) mod size;

use crate::table::Target;

/// "At most so many times the other".
fn times(most: f64) -> (Target, &'static str) {
    (Target::AtMost(most), "×")
}
