//! The command's texts in the user's language.
//!
//! English stands in the code, where a text is used: `tr!("{done} of {all}", done, all)`. Each other language is one file in
//! gettext's format, `tools/cli/src/messages/LANGUAGE.po`. What a file does not have stays English, and so do JSON, the log's lines
//! of -v, and the names of options.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`locale`] | the choice of the language |
//! | [`catalog`] | the texts of a language |
//! | [`command`] | the texts of the command line's definition, and clap's own |
//! | [`wrap`] | lines that are as wide as they look |

pub mod catalog;
pub mod command;
pub mod locale;
#[cfg(test)]
mod tests;
pub mod wrap;

use std::fmt::Display;
use std::sync::OnceLock;

use catalog::Catalog;

/// Gives the texts of the user's language; `None` is English.
fn catalog() -> Option<&'static Catalog> {
    static CATALOG: OnceLock<Option<Catalog>> = OnceLock::new();
    let find = || match cfg!(test) {
        // Tests are about the English texts, wherever they run.
        true => None,
        false => locale::choose(|name| std::env::var(name).ok(), system_languages),
    };
    CATALOG.get_or_init(|| find().map(Catalog::parse)).as_ref()
}

/// The languages that Windows shows the user.
#[cfg(windows)]
fn system_languages() -> Vec<String> {
    sys_locale::get_locales().collect()
}

/// None: elsewhere the environment tells.
#[cfg(not(windows))]
fn system_languages() -> Vec<String> {
    Vec::new()
}

/// Whether the texts are in another language than English.
pub fn is_translated() -> bool {
    catalog().is_some()
}

/// Gives the translation of a text, if there is one.
pub fn translation(id: &str) -> Option<&'static str> {
    catalog()?.text(id)
}

/// Translates a text without values.
pub fn text(id: &str) -> &str {
    translation(id).unwrap_or(id)
}

/// Translates a sentence that the library, the system or another part has made, with its values in it.
pub fn sentence(english: impl Display) -> String {
    let english = english.to_string();
    let translated = catalog().and_then(|it| it.sentence(&english));
    translated.unwrap_or(english)
}

/// Writes a text with values in the user's language: `tr!("{done} of {all}", done, all = items.len())`.
macro_rules! tr {
    ($text:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        match $crate::messages::translation($text) {
            None => format!($text $(, $name = $crate::messages::tr!(@value $name $(, $value)?))*),
            Some(text) => $crate::messages::catalog::fill(
                text,
                &[$((stringify!($name), $crate::messages::tr!(@value $name $(, $value)?).to_string())),*],
            ),
        }
    };
    (@value $name:ident) => { $name };
    (@value $name:ident, $value:expr) => { $value };
}
pub(crate) use tr;
