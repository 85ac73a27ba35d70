//! How forms are written, as options name it.

use clap::ValueEnum;
use resup::{FilenameStyle, LocateMethod};

/// A style of file names, as the option names it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Style {
    /// As browsers do: "filename" in UTF-8
    Whatwg,
    /// Also as "filename*", for servers that read "filename" as Latin-1
    Rfc8187,
}

impl From<Style> for FilenameStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Whatwg => FilenameStyle::Whatwg,
            Style::Rfc8187 => FilenameStyle::Rfc8187,
        }
    }
}

/// A locate method, as the option names it.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Locate {
    /// By GET, with the form fields in the URL
    Get,
    /// By POST, so that no cache answers
    Post,
}

impl From<Locate> for LocateMethod {
    fn from(locate: Locate) -> Self {
        match locate {
            Locate::Get => LocateMethod::Get,
            Locate::Post => LocateMethod::Post,
        }
    }
}
