//! Checks of a program's settings.

use std::time::Duration;

use crate::error::Error;

/// The longest time limit that can be set: a year. (Longer ones overflow the system's clocks.)
const LONGEST: Duration = Duration::from_secs(365 * 86400);

/// Checks a time limit: longer than zero, at most a year.
pub(crate) fn check_duration(what: &'static str, value: Duration) -> Result<Duration, Error> {
    if value.is_zero() || value > LONGEST {
        return Err(Error::InvalidArgument {
            what,
            why: format!(
                "must be more than 0 and at most a year, not {} ms",
                value.as_millis()
            ),
        });
    }
    Ok(value)
}

/// Checks a file name that goes to a server.
pub(crate) fn check_file_name(name: &str) -> Result<String, Error> {
    let why = match name {
        "" | "." | ".." => format!("\"{name}\" cannot be a file's name"),
        name if name.contains(['/', '\0']) => {
            format!("{name:?} contains / or NUL; the directory is a setting of its own")
        }
        name if name.len() > 1024 => format!("has {} bytes, more than 1024", name.len()),
        name => return Ok(name.to_owned()),
    };
    Err(Error::InvalidArgument {
        what: "file name",
        why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_endless_durations_are_refused() {
        assert!(check_duration("t", Duration::ZERO).is_err());
        assert!(check_duration("t", Duration::MAX).is_err());
        assert!(check_duration("t", Duration::from_millis(1)).is_ok());
    }
}
