//! Concluding a complete upload.

use super::*;

fn concluding() -> Run {
    let (mut run, part) = Run::sending_from(0);
    run.sent(part, SIZE, Outcome::Accepted(complete()));
    run
}

#[test]
fn a_complete_upload_ends_the_run_with_success() {
    assert_eq!(concluding().handle(Event::Concluded), Step::Finish(Ok(())));
}

#[test]
fn a_source_that_has_changed_meanwhile_is_not_complete() {
    let error = Error::SourceChanged {
        path: "f".to_owned(),
        why: "its time".to_owned(),
    };
    assert_eq!(end(concluding().failed(error)), ErrorKind::SourceChanged);
}

#[test]
fn an_interruption_asks_the_server_again() {
    let mut run = concluding();
    assert_eq!(run.handle(Event::Stopped(Stop::Interrupted)), Step::Begin);
    run.handle(Event::Begun);
    let step = run.handle(Event::Located(complete()));
    assert!(matches!(
        step,
        Step::Conclude {
            is_first: false,
            ..
        }
    ));
}
