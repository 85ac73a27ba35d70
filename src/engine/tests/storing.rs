//! A small file that goes to the server without a locate.

use super::*;

fn storing() -> Run {
    let mut run = Run::new(Plan {
        stores: true,
        ..plan()
    });
    assert_eq!(run.handle(Event::Begun), Step::Store);
    run
}

#[test]
fn a_store_that_is_answered_complete_is_the_end() {
    let mut run = storing();
    let step = run.handle(Event::Stored(Some(complete())));
    let expected = Step::Conclude {
        location: None,
        is_first: false,
    };
    assert_eq!(step, expected, "its bytes were sent");
    assert_eq!(run.handle(Event::Concluded), Step::Finish(Ok(())));
}

#[test]
fn the_digest_of_the_finished_file_is_compared() {
    for equal in [true, false] {
        let mut run = storing();
        let step = run.handle(Event::Stored(Some(proved(complete()))));
        assert!(matches!(step, Step::Compare { length: SIZE, .. }));
        let step = run.handle(Event::Compared { equal });
        assert_eq!(matches!(step, Step::Conclude { .. }), equal, "{step:?}");
        assert_eq!(step == settle(0, Some(SIZE), true), !equal, "{step:?}");
    }
}

#[test]
fn what_the_server_holds_of_the_file_is_gone_on_with() {
    let mut run = storing();
    let step = run.handle(Event::Stored(Some(partial(400))));
    assert_eq!(step, settle(400, None, true));
    assert_eq!(run.handle(Event::Settled), send(1, 400, 600, None));
}

#[test]
fn a_server_that_takes_no_store_is_asked() {
    let mut run = storing();
    let step = run.handle(Event::Stored(None));
    assert_eq!(step, Step::Locate { hash_ahead: true });
}

#[test]
fn a_source_that_only_its_digest_tells_is_located_with_it() {
    let mut run = Run::new(Plan {
        stores: true,
        digest_first: true,
        ..plan()
    });
    assert_eq!(run.handle(Event::Begun), Step::Store);
    // The digest of the store goes with the locate.
    let step = run.handle(Event::Stored(None));
    assert!(matches!(step, Step::Locate { .. }));
    run.failed(connection_lost());
    run.recovered();

    let mut run = Run::new(Plan {
        stores: true,
        digest_first: true,
        ..plan()
    });
    run.handle(Event::Begun);
    // It may not have been made.
    run.failed(connection_lost());
    run.handle(Event::Recovered);
    assert_eq!(run.handle(Event::Begun), Step::DigestWhole);
}

#[test]
fn a_store_that_failed_is_followed_by_a_locate() {
    let mut run = storing();
    let step = run.failed(connection_lost());
    assert!(wait(&step).is_some(), "{step:?}");
    run.recovered();
}
