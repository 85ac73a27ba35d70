//! A clock that is wrong, as the cause of a refusal.

use std::time::{Duration, SystemTime};

use http::header;

use super::message::Response;
use crate::error::Error;

/// From this difference on, a clock is named in a message.
const NOTABLE: Duration = Duration::from_secs(120);

/// Adds a hint to a 401 or 403 if this machine's clock differs from the server's, as the request
/// was one for which that matters.
pub(crate) fn clock_hint(error: Error, response: &Response) -> Error {
    if !matches!(response.status, 401 | 403) {
        return error;
    }
    let date = response.values(header::DATE.as_str()).next();
    let date = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    match date.and_then(|server| difference(SystemTime::now(), server)) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Describes the difference of two clocks, if it is notable.
fn difference(ours: SystemTime, server: SystemTime) -> Option<String> {
    let (by, where_to) = match ours.duration_since(server) {
        Ok(by) => (by, "ahead of"),
        Err(e) => (e.duration(), "behind"),
    };
    if by < NOTABLE {
        return None;
    }
    let minutes = by.as_secs() / 60;
    let by = match minutes {
        0..180 => format!("{minutes} minutes"),
        180..4320 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    };
    Some(format!(
        "this machine's clock is {by} {where_to} the server's; set the wrong one right"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_differs_by_minutes_is_named() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let difference = |ours, server| difference(at(ours), at(server));
        assert_eq!(difference(1000, 1119), None);
        assert_eq!(difference(1119, 1000), None);
        let told = difference(1600, 1000).unwrap();
        assert!(
            told.contains("clock is 10 minutes ahead of the server's"),
            "{told}"
        );
        assert!(difference(0, 3600 * 5).unwrap().contains("5 hours behind"));
        assert!(difference(0, 86400 * 400)
            .unwrap()
            .contains("400 days behind"));
    }
}
