//! Which names users may have. They are names of directories too, on every system.

/// The largest number of bytes in a name.
pub const MAX_NAME: usize = 64;

/// Names of devices on Windows, with any extension.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Checks a user's name. The error says why it is not allowed.
pub fn check(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(format!("it has {} bytes, not 1 to {MAX_NAME}", name.len()));
    }
    let odd = |c: char| c.is_control() || "/\\:*?\"<>|".contains(c) || is_invisible(c);
    if let Some(odd) = name.chars().find(|c| odd(*c)) {
        return Err(format!("{odd:?} cannot be in it"));
    }
    if name.starts_with(['.', '-']) || name.starts_with(char::is_whitespace) {
        return Err("it begins with a dot, a hyphen or a space".to_owned());
    }
    if name.ends_with('.') || name.ends_with(char::is_whitespace) {
        return Err("it ends with a dot or a space".to_owned());
    }
    let stem = name.split('.').next().unwrap_or(name).trim_end();
    if is_device(&stem.to_lowercase()) {
        return Err(format!("'{stem}' is a device on Windows"));
    }
    Ok(())
}

fn is_device(stem: &str) -> bool {
    let mut numbered = stem.chars();
    let last = numbered.next_back();
    // To Windows these superscripts are digits.
    let digit = last.is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c));
    DEVICES.contains(&stem) || (digit && matches!(numbered.as_str(), "com" | "lpt"))
}

/// Characters that make two names look alike.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn plain_names_of_all_scripts_are_allowed() {
        for name in [
            "joe",
            "Joe B. Doe",
            "joe@example.org",
            "小王",
            "console",
            "com",
            "com10",
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        assert_eq!(check(&"n".repeat(64)), Ok(()));
    }

    #[test]
    fn names_that_some_system_does_not_allow_are_refused() {
        let long = "n".repeat(65);
        for name in [
            "",
            ".",
            "..",
            ".joe",
            "-joe",
            " joe",
            "joe ",
            "joe.",
            "a/b",
            "a\\b",
            "a:b",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            "CON",
            "nul.txt",
            "Com1",
            "lpt9.x",
            "com²",
            "aux .x",
            &long,
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
