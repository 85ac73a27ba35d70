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
