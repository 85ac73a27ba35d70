//! The dialects that are known by a name.

use super::keys::bad;
use crate::error::Error;
use crate::http::limited;

/// A dialect that is known by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preset {
    /// Its name, as [`Client::set_dialect`](crate::Client::set_dialect) takes it.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// Its JSON, which is a dialect of the same meaning.
    pub text: &'static str,
}

macro_rules! presets {
    ($($name:literal: $purpose:literal),*) => {
        [$(Preset {
            name: $name,
            purpose: $purpose,
            text: include_str!(concat!("presets/", $name, ".json")),
        }),*]
    };
}

/// The presets.
pub(crate) const PRESETS: [Preset; 11] = presets![
    "plain": "the form of a page: the file in one POST, as a browser sends it",
    "resumable.js": "resumable.js; the server is asked for each chunk",
    "flow.js": "flow.js and ng-flow; the server is asked for each chunk",
    "simple-uploader": "simple-uploader.js and vue-simple-uploader; the server is asked for each chunk",
    "webuploader": "WebUploader",
    "plupload": "Plupload",
    "fineuploader": "Fine Uploader, with ?done at the end",
    "dropzone": "Dropzone, with chunks",
    "jquery-file-upload": "jQuery File Upload; the server is asked for the size, by GET ?file=",
    "ng-file-upload": "ng-file-upload; add \"state\" where the server can be asked",
    "nginx-upload-module": "nginx-upload-module with resumable uploads"
];

/// Finds a preset by its name.
pub(super) fn find(name: &str) -> Result<(&'static str, &'static str), Error> {
    let found = PRESETS.iter().find(|preset| preset.name == name);
    found
        .map(|preset| (preset.name, preset.text))
        .ok_or_else(|| unknown(name))
}

/// Makes the error for a name that no preset has.
pub(super) fn unknown(name: &str) -> Error {
    let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    let shown: String = limited(name).chars().take(100).collect();
    bad(format!(
        "\"{shown}\" is not known; give one of {}, or a JSON object (of a file its text, not its name)",
        names.join(", ")
    ))
}
