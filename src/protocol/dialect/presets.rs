//! The dialects that are known by a name.

use super::keys::bad;
use crate::error::Error;
use crate::http::limited;

macro_rules! presets {
    ($($name:literal),*) => {
        [$(($name, include_str!(concat!("presets/", $name, ".json")))),*]
    };
}

/// The names and texts of the presets.
pub(super) const PRESETS: [(&str, &str); 11] = presets![
    "plain",
    "resumable.js",
    "flow.js",
    "simple-uploader",
    "webuploader",
    "plupload",
    "fineuploader",
    "dropzone",
    "jquery-file-upload",
    "ng-file-upload",
    "nginx-upload-module"
];

/// Finds a preset by its name.
pub(super) fn find(name: &str) -> Result<(&'static str, &'static str), Error> {
    let found = PRESETS.into_iter().find(|(known, _)| *known == name);
    found.ok_or_else(|| unknown(name))
}

/// Makes the error for a name that no preset has.
pub(super) fn unknown(name: &str) -> Error {
    let names: Vec<_> = PRESETS.into_iter().map(|(name, _)| name).collect();
    let shown: String = limited(name).chars().take(100).collect();
    bad(format!(
        "\"{shown}\" is not known; give one of {}, or a JSON object",
        names.join(", ")
    ))
}
