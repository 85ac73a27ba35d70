//! What an expression tells that a response does not meet.

use resup::dialect::{Purpose, Received, Step, Verdict};

use super::answer;
use super::finding::{finding, is_success, replaced, set, Finding};
use super::status::{by_status, login};

/// Tells why a chunk, or the request that completes the file, was not accepted.
pub(super) fn refused(step: &Step, response: &Received) -> Option<Finding> {
    let failed = step
        .verdicts
        .iter()
        .find(|it| !it.is_met && is_success(it.key));
    let object = match step.purpose {
        Purpose::Done => "done",
        _ => "",
    };
    let Some(verdict) = failed else {
        return by_status(step, response, object);
    };
    if verdict
        .rule
        .starts_with(|first: char| first.is_ascii_digit())
    {
        return match response.status {
            200..=299 => {
                let json = answer::json(response);
                match json.as_ref().and_then(answer::failure) {
                    Some((name, value)) => its_own(&name, &value),
                    None => finding(
                        verdict.key,
                        format!(
                            "the server answers {}, which is none of {}",
                            response.status, verdict.rule
                        ),
                        replaced(
                            step,
                            verdict,
                            &format!("{} {}", verdict.rule, response.status),
                        ),
                    ),
                }
            }
            _ => by_status(step, response, object),
        };
    }
    let bare = verdict.rule.strip_prefix("not ");
    match bare.unwrap_or(&verdict.rule).split_once(':') {
        Some(("json", rest)) => json_condition(step, response, verdict, (rest, bare.is_some())),
        Some(("text", words)) => text_condition(step, response, verdict, (words, bare.is_some())),
        _ => finding(
            verdict.key,
            format!("{} is not met: {}", verdict.rule, verdict.found),
            None,
        ),
    }
}

/// Makes the finding that the server itself has failed: that is no mistake of `success`.
fn its_own(name: &str, value: &str) -> Option<Finding> {
    finding(
        "fields",
        format!(
            "the server says that it has failed: \"{name}\" is {value}; compare \"file_field\", \"fields\" and \
             \"headers\" with what its page or widget sends"
        ),
        None,
    )
}

fn json_condition(
    step: &Step,
    response: &Received,
    verdict: &Verdict,
    (rest, is_negative): (&str, bool),
) -> Option<Finding> {
    let key = verdict.key;
    let Some(json) = answer::json(response) else {
        if answer::is_page(response) {
            return finding(
                "url",
                "an HTML page came where JSON was to come: the URL is that of a page, or of another server",
                None,
            );
        }
        let words = answer::first_words(response);
        return finding(
            key,
            format!("{} needs JSON, and the body is none", verdict.rule),
            words.map(|words| replaced(step, verdict, &format!("text:{words}"))),
        );
    };
    let failure = answer::failure(&json);
    let at = rest.split_once('=').map_or(rest, |(at, _)| at).trim();
    let found = json.pointer(at).filter(|it| !it.is_null());
    if let Some((name, value)) = failure {
        return its_own(&name, &value);
    }
    if is_negative {
        return its_own(at, &found.map(answer::text).unwrap_or_default());
    }
    let what = match found {
        Some(value) => format!("the body has {value} at {at}"),
        None => format!("the body has nothing at {at}"),
    };
    let better = answer::condition(&json);
    finding(
        key,
        format!("{} is not met: {what}", verdict.rule),
        better.map(|new| replaced(step, verdict, &new)),
    )
}

fn text_condition(
    step: &Step,
    response: &Received,
    verdict: &Verdict,
    (words, is_negative): (&str, bool),
) -> Option<Finding> {
    if is_negative {
        return its_own("the body", words);
    }
    let words = words.trim();
    let at = response
        .body
        .to_ascii_lowercase()
        .find(&words.to_ascii_lowercase());
    let spelled = at.and_then(|at| response.body.get(at..at + words.len()));
    let new = spelled
        .map(str::to_owned)
        .or_else(|| match answer::is_page(response) {
            true => None,
            false => answer::first_words(response),
        });
    finding(
        verdict.key,
        format!("the body does not have the words \"{words}\""),
        new.map(|words| replaced(step, verdict, &format!("text:{words}"))),
    )
}

/// Tells where the body of a request that was accepted says the reverse.
pub(super) fn doubt(step: &Step, response: &Received) -> Option<Finding> {
    let rules = step.verdicts.iter().filter(|it| is_success(it.key));
    let rules: Vec<_> = rules.collect();
    let first = rules.first()?;
    if rules.len() > 1 {
        return None;
    }
    if answer::is_login(response) {
        return login(response);
    }
    let json = answer::json(response)?;
    let (name, value) = answer::failure(&json)?;
    let condition = match name.to_ascii_lowercase().starts_with("error") {
        true => format!("not json:/{name}"),
        false => format!("json:/{name}"),
    };
    finding(
        first.key,
        format!(
            "the status alone counts, and the body says that it has failed: \"{name}\" is {value}"
        ),
        set(first.key, &format!("{} and {condition}", first.rule)),
    )
}
