//! The two sides of a run's control, both played by the test.

use super::*;

fn drain(control: &Control) -> Vec<Event> {
    let now = Some(Instant::now());
    std::iter::from_fn(|| match control.next(now) {
        Some(Event::Finished(_)) | None => None,
        some => some,
    })
    .collect()
}

#[test]
fn states_come_in_order_and_the_last_progress_before_the_end() {
    let control = Control::default();
    control.set_size(10);
    control.enter(UploadState::Locating);
    control.enter(UploadState::Sending);
    control.count_sent(10);
    control.confirm(10);
    control.finish(Ok(()));
    use UploadState::*;
    assert_eq!(
        drain(&control),
        [
            Event::Progress,
            Event::State(Locating),
            Event::State(Sending),
            Event::State(Verifying),
            Event::State(Complete),
        ]
    );
    assert_eq!(control.next(None), Some(Event::Finished(Ok(()))));
    assert_eq!(control.next(None), Some(Event::Finished(Ok(()))));
}

#[test]
fn the_position_waits_for_the_bytes_of_lost_parts() {
    let control = Control::default();
    control.set_size(100);
    control.count_attempt();
    let position = || control.snapshot().position;
    control.count_sent(50);
    control.confirm_part(30);
    control.lose_part(20);
    assert_eq!(position(), 50);
    // From here on, one send goes on.
    control.confirm(30);
    assert_eq!(position(), 50);
    control.count_sent(15);
    assert_eq!(position(), 50);
    control.count_sent(15);
    assert_eq!(position(), 60);
    // After a failure it is where the server is.
    control.lose_part(30);
    control.count_attempt();
    control.confirm(30);
    assert_eq!(position(), 30);
}

#[test]
fn a_run_that_hangs_is_abandoned_on_cancel() {
    let control = Control::default();
    control.cancel();
    let began = Instant::now();
    let mut last = None;
    while !matches!(last, Some(Event::Finished(_))) {
        last = control.next(None);
    }
    assert_eq!(last, Some(Event::Finished(Err(Error::Cancelled))));
    assert!(began.elapsed() >= commands::CANCEL_GRACE);
    control.finish(Ok(()));
    assert_eq!(
        control.next(None),
        Some(Event::Finished(Err(Error::Cancelled))),
        "what an abandoned run reports later does not count"
    );
    control.count_sent(7);
    control.confirm(7);
    control.set_skipped(7);
    control.count_attempt();
    control.set_http_status(200);
    control.enter(UploadState::Sending);
    let now = control.snapshot();
    assert_eq!((now.state, now.position), (UploadState::Cancelled, 0));
    assert_eq!(
        (now.bytes_skipped, now.attempts, now.http_status),
        (0, 0, None)
    );
}

#[test]
fn pause_holds_the_run_until_resume_and_cancel_is_final() {
    let control = Control::default();
    control.enter(UploadState::Locating);
    control.pause();
    assert!(control.check().is_err());
    control.enter(UploadState::Sending);
    assert_eq!(control.snapshot().state, UploadState::Paused);
    std::thread::scope(|scope| {
        let run = scope.spawn(|| control.checkpoint());
        std::thread::sleep(Duration::from_millis(20));
        assert!(!run.is_finished());
        control.resume();
        assert_eq!(run.join().unwrap(), Ok(()));
    });
    assert!(!control.was_interrupted());
    control.pause();
    control.resume();
    assert!(control.was_interrupted(), "until the checkpoint is passed");
    assert_eq!(control.checkpoint(), Ok(()));
    assert!(!control.was_interrupted());
    control.cancel();
    control.resume();
    assert_eq!(control.checkpoint(), Err(Error::Cancelled));
}

#[test]
fn a_pause_that_the_run_did_not_see_leaves_no_trace() {
    let control = Control::default();
    control.enter(UploadState::Hashing);
    control.pause();
    assert_eq!(control.snapshot().state, UploadState::Paused);
    control.resume();
    assert_eq!(control.snapshot().state, UploadState::Hashing);
    control.pause();
    control.enter(UploadState::Sending);
    assert_eq!(control.snapshot().state, UploadState::Paused);
    control.resume();
    assert_eq!(control.snapshot().state, UploadState::Sending);
}

#[test]
fn a_wait_ends_with_a_command() {
    let control = Control::default();
    std::thread::scope(|scope| {
        scope.spawn(|| control.wait(Duration::from_secs(3600)));
        while control.snapshot().retry_in.is_none() {
            std::thread::yield_now();
        }
        assert!(control.snapshot().retry_in.unwrap() > Duration::from_secs(3500));
        control.cancel();
    });
    assert_eq!(control.snapshot().retry_in, None);
}

#[test]
fn states_that_nobody_fetches_do_not_pile_up() {
    let control = Control::default();
    for _ in 0..1000 {
        control.enter(UploadState::Locating);
        control.enter(UploadState::Sending);
    }
    assert_eq!(drain(&control).len(), events::MAX_STATES);
}

#[test]
fn a_log_line_is_one_line_whatever_a_server_or_a_name_has_in_it() {
    let control = Control::default();
    control.set_log_level(LogLevel::Info);
    control.log(LogLevel::Info, || {
        "refused: no\r\n\u{1b}[2Jgiven up".to_owned()
    });
    let line = "refused: no   [2Jgiven up".to_owned();
    assert_eq!(drain(&control), [Event::Log(LogLevel::Info, line)]);
}
