//! Recovering from failures.

use super::*;

#[test]
fn passing_failures_are_retried_until_the_budget_is_used_up() {
    let mut run = Run::locating();
    for seconds in [1, 2, 4] {
        let step = run.failed(connection_lost());
        assert_eq!(wait(&step), Some(Duration::from_secs(seconds)));
        run.recovered();
    }
    assert_eq!(
        end(run.failed(connection_lost())),
        ErrorKind::ConnectionLost
    );
}

#[test]
fn each_error_passes_or_does_not() {
    let host = || "h".to_owned();
    let why = || "by the test".to_owned();
    for (error, passes) in [
        (
            Error::ResolveFailed {
                host: host(),
                why: why(),
            },
            true,
        ),
        (
            Error::ConnectFailed {
                host: host(),
                why: why(),
            },
            true,
        ),
        (
            Error::TimedOut {
                host: host(),
                what: why(),
            },
            true,
        ),
        (
            Error::Tls {
                host: host(),
                why: why(),
                may_be_damage: true,
            },
            false,
        ),
        (
            Error::ProxyRefused {
                host: host(),
                why: why(),
            },
            false,
        ),
        (Error::BadOffset { why: why() }, false),
        (
            Error::SourceNotFound {
                path: "f".to_owned(),
            },
            false,
        ),
        (Error::System { why: why() }, false),
        (refused(RefusalKind::Locked, 423), true),
        (refused(RefusalKind::Busy, 503), true),
        (refused(RefusalKind::Failing, 500), true),
        (refused(RefusalKind::NoSpace, 507), false),
        (refused(RefusalKind::NotAllowed, 403), false),
        (refused(RefusalKind::TooLarge, 413), false),
        (refused(RefusalKind::Other, 404), false),
    ] {
        let kind = error.kind();
        let step = Run::locating().failed(error);
        assert_eq!(wait(&step).is_some(), passes, "{kind:?}: {step:?}");
    }
}

fn tls(may_be_damage: bool) -> Error {
    Error::Tls {
        host: "h".to_owned(),
        why: "by the test".to_owned(),
        may_be_damage,
    }
}

/// Whether each failure passes after the server has answered in this run: of a locate, and of a send.
#[test]
fn something_else_may_answer_for_a_while() {
    use RefusalKind::{Failing, NoSpace, NotAllowed, Other};
    let page = || Error::bad_response("a page");
    for (error, locate, send) in [
        (page(), true, true),
        (Error::response_too_long(9), true, true),
        (refused(Other, 302), true, true),
        (refused(Other, 307), true, true),
        (refused(Other, 511), true, true),
        (refused(Failing, 500), true, true),
        // The redirect that follows a new login.
        (refused(NotAllowed, 302), true, false),
        (refused(NotAllowed, 403), false, false),
        (refused(NoSpace, 507), false, false),
        (refused(Other, 501), false, false),
        (refused(Other, 404), false, false),
        // A body that was cut, or too long.
        (refused(Other, 400), false, true),
        (tls(true), true, true),
        (tls(false), false, false),
    ] {
        let what = error.to_string();
        let (mut run, part) = Run::sending_from(0);
        run.send_failed(part, 10, connection_lost());
        run.recovered();
        let step = run.failed(error.clone());
        assert_eq!(wait(&step).is_some(), locate, "{what}: {step:?}");
        if locate {
            let error = waited_for(step);
            assert!(error.is_retryable(), "{error}");
        }
        let (mut run, part) = Run::sending_from(0);
        let step = run.send_failed(part, 10, error);
        assert_eq!(wait(&step).is_some(), send, "{what}: {step:?}");
    }
}

#[test]
fn a_500_as_the_first_answer_is_told_after_few_tries() {
    for (status, kind, tries) in [
        (500, RefusalKind::Failing, 3),
        (520, RefusalKind::Failing, 3),
        (502, RefusalKind::Failing, 9),
        (504, RefusalKind::Failing, 9),
        (503, RefusalKind::Busy, 9),
        (429, RefusalKind::Busy, 9),
        (511, RefusalKind::Other, 1),
        (302, RefusalKind::Other, 1),
    ] {
        let mut run = Run::locating_by(Plan {
            retry: RetryPolicy {
                limit: 8,
                ..plan().retry
            },
            ..plan()
        });
        let mut locates = 1;
        while wait(&run.failed(refused(kind, status))).is_some() {
            run.recovered();
            locates += 1;
        }
        assert_eq!(locates, tries, "{status}");
    }
}

#[test]
fn retry_after_is_waited_for() {
    let error = Error::Refused(Box::new(Refusal {
        retry_after: Some(Duration::from_secs(77)),
        ..match refused(RefusalKind::Busy, 503) {
            Error::Refused(refusal) => *refusal,
            _ => unreachable!(),
        }
    }));
    let step = Run::locating().failed(error);
    assert_eq!(wait(&step), Some(Duration::from_secs(77)));
}

#[test]
fn the_first_ended_session_is_renewed_and_the_next_is_a_failure_like_others() {
    let ended = || Error::SessionExpired {
        host: "h".to_owned(),
    };
    let (mut run, part) = Run::sending_from(0);
    let login = Step::Recover {
        error: ended(),
        remedy: Remedy::NewLogin,
    };
    assert_eq!(run.send_failed(part, 0, ended()), login);
    run.recovered();
    let step = run.failed(ended());
    assert_eq!(wait(&step), Some(Duration::from_secs(1)));
}

#[test]
fn the_time_limit_of_failures_starts_again_after_a_pause() {
    let mut run = Run::locating_by(Plan {
        retry: RetryPolicy {
            limit: u32::MAX,
            time: Some(Duration::from_secs(10)),
            ..plan().retry
        },
        ..plan()
    });
    for _ in 0..5 {
        let step = run.failed(connection_lost());
        assert!(wait(&step).is_some(), "{step:?}");
        // The program pauses while the run waits, and goes on much later.
        assert_eq!(run.handle(Event::Stopped(Stop::Interrupted)), Step::Begin);
        run.now += Duration::from_secs(60);
        run.handle(Event::Begun);
    }
    let step = run.failed(connection_lost());
    assert!(wait(&step).is_some(), "{step:?}");
    run.recovered();
    run.now += Duration::from_secs(60);
    assert_eq!(
        end(run.failed(connection_lost())),
        ErrorKind::ConnectionLost
    );
}
