//! The values of --hook-before and --hook-after.

use std::fmt;
use std::path::PathBuf;

use url::Url;

/// What is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A web server.
    Url(Url),
    /// A program.
    Program(PathBuf),
}

impl Target {
    /// Reads a URL, or else the path of a program.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("neither a URL nor a program".to_owned());
        }
        if !text.contains("://") {
            return Ok(Self::Program(text.into()));
        }
        let url = Url::parse(text).map_err(|error| format!("not a URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err("a hook's URL begins with http:// or https://".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(
                "a hook's URL has no user and no password: what --hook-secret-file signs shows who sends it".to_owned(),
            );
        }
        Ok(Self::Url(url))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A query may be a secret.
            Self::Url(url) => {
                let mut url = url.clone();
                url.set_query(None);
                url.fmt(formatter)
            }
            Self::Program(path) => path.display().fmt(formatter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_a_url_or_a_program() {
        let hook = Target::parse("https://example.org/hook?token=secret").unwrap();
        assert_eq!(hook.to_string(), "https://example.org/hook");
        assert_eq!(
            Target::parse("./hook.sh"),
            Ok(Target::Program("./hook.sh".into()))
        );
        for wrong in [
            "",
            "ftp://example.org/",
            "http://",
            "https://joe:secret@example.org/",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
