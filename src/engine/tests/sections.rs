//! A file in sections, each of which goes to an upload of its own.

use super::parallel::{plan, MIB, SIZE};
use super::*;
use crate::protocol::Sections;

/// The length of a section.
const LENGTH: u64 = 25 * MIB;
/// The length of the first part.
const FIRST: u64 = SIZE / 8;

fn by_sections() -> Plan {
    let abilities = Abilities {
        proves_prefix: false,
        needs_key: true,
        ..plan().abilities
    };
    Plan {
        abilities,
        connections: 2,
        ..plan()
    }
}

/// Makes the answer of a server that holds these bytes of four sections.
fn held(list: &[(u64, u64)]) -> Answer {
    let reach = |at, (from, to): &(u64, u64)| if *from == at { *to } else { at };
    Answer {
        agreed: None,
        is_own: true,
        parts: Some(4),
        sections: Some(Sections {
            length: LENGTH,
            is_whole: false,
            held: list.to_vec(),
        }),
        ..partial(list.iter().fold(0, reach))
    }
}

fn all() -> Answer {
    held(&[0, 1, 2, 3].map(|number| (number * LENGTH, (number + 1) * LENGTH)))
}

fn sends(step: Step) -> Vec<(u64, u64, Option<u64>)> {
    match step {
        Step::SendParts { sends, .. } => {
            let values = |it: &PartSend| (it.offset, it.length, it.asks);
            sends.iter().map(values).collect()
        }
        other => panic!("no parts but {other:?}"),
    }
}

/// Makes a run whose first answer was this one; gives its first parts, too.
fn run(answer: Answer) -> (Run, Vec<(u64, u64, Option<u64>)>) {
    let mut run = Run::locating_by(by_sections());
    let settles = matches!(run.handle(Event::Located(answer)), Step::Settle { .. });
    assert!(settles);
    let sends = sends(run.handle(Event::Settled));
    (run, sends)
}

/// Makes a run with two parts under way, from the beginnings of the first and the second section on.
fn two() -> Run {
    let (mut run, first) = run(held(&[]));
    assert_eq!(first, [(0, FIRST, None)]);
    for sent in 1..100 {
        let sent = sent * 20_000;
        run.now += Duration::from_millis(200);
        let measured = Event::Measured { sent, under_way: 0 };
        if let [(offset, ..)] = sends(run.handle(measured))[..] {
            assert_eq!(offset, LENGTH);
            return run;
        }
    }
    panic!("no second part");
}

#[test]
fn parts_stay_in_their_sections_and_the_longest_rest_comes_first() {
    let (_, first) = run(held(&[
        (0, 9),
        (LENGTH, LENGTH + 7),
        (2 * LENGTH, 2 * LENGTH + 5),
    ]));
    assert_eq!(first[0].0, 3 * LENGTH);
    let mut rest = all();
    if let Some(sections) = &mut rest.sections {
        sections.held[1].1 -= 1000;
    }
    let (_, first) = run(Answer {
        offset: 2 * LENGTH - 1000,
        ..rest
    });
    assert_eq!(first, [(2 * LENGTH - 1000, 1000, None)]);
}

#[test]
fn a_part_that_failed_is_asked_for_before_its_section_goes_on() {
    let mut run = two();
    let step = run.send_failed(PartId(2), LENGTH + 300, connection_lost());
    assert!(sends(step).is_empty(), "there is one connection less");
    run.now += Duration::from_secs(1);
    let answer = Outcome::Accepted(held(&[(0, FIRST)]));
    let next = sends(run.sent(PartId(1), FIRST, answer));
    let (offset, length, asks) = next[0];
    assert_eq!((offset, asks), (LENGTH, Some(LENGTH + 300)));
    // Once it has answered, it need not be asked.
    let mut end = offset + length;
    for part in 3..400 {
        run.now += Duration::from_secs(1);
        let begin = (end - 1) / LENGTH * LENGTH;
        let answer = Outcome::Accepted(held(&[(begin, end)]));
        let (offset, length, asks) = sends(run.sent(PartId(part), end, answer))[0];
        assert_eq!(asks, None, "{part}");
        end = offset + length;
        if offset / LENGTH == 1 {
            return;
        }
    }
    panic!("the section does not go on");
}

#[test]
fn when_all_sections_are_held_they_are_joined_by_a_send_of_nothing() {
    let mut run = Run::locating_by(by_sections());
    run.handle(Event::Located(all()));
    let Step::Send {
        part,
        offset,
        length,
        ..
    } = run.handle(Event::Settled)
    else {
        panic!("no send");
    };
    assert_eq!((offset, length), (SIZE, 0));
    let done = Answer {
        agreed: None,
        ..answer(State::Complete, SIZE)
    };
    let step = run.sent(part, SIZE, Outcome::Accepted(done));
    assert!(
        matches!(
            step,
            Step::Conclude {
                is_first: false,
                ..
            }
        ),
        "{step:?}"
    );
}

#[test]
fn bytes_that_were_not_sent_are_not_believed_after_the_first_answer() {
    for (list, is_believed) in [
        (&[(0, 100)][..], true),
        (&[(0, 100), (LENGTH, LENGTH + 300)], true),
        (&[(0, 101)], false),
        (&[(LENGTH, LENGTH + 301)], false),
        (&[(2 * LENGTH, 2 * LENGTH + 1)], false),
    ] {
        let mut run = two();
        run.send_failed(PartId(2), LENGTH + 300, connection_lost());
        let step = run.send_failed(PartId(1), 100, connection_lost());
        assert!(matches!(step, Step::Recover { .. }), "{step:?}");
        run.handle(Event::Recovered);
        run.handle(Event::Begun);
        let step = run.handle(Event::Located(held(list)));
        match step {
            Step::Settle { held, .. } if is_believed => {
                assert_eq!(held, list.iter().map(|(from, to)| to - from).sum::<u64>());
            }
            Step::Recover { error, .. } if !is_believed => {
                assert!(error.to_string().contains("not sent here"), "{error}");
            }
            other => panic!("{list:?}: {other:?}"),
        }
    }
}

#[test]
fn a_server_that_does_not_join_gets_one_upload_of_which_nothing_is_believed() {
    let mut run = Run::locating_by(by_sections());
    run.handle(Event::Located(all()));
    let part = part_of(run.handle(Event::Settled));
    let refusal = refused(RefusalKind::Failing, 403);
    assert!(matches!(
        run.send_failed(part, SIZE, refusal),
        Step::Recover { .. }
    ));
    run.handle(Event::Recovered);
    run.handle(Event::Begun);
    let whole = |answer| Answer {
        agreed: None,
        is_own: true,
        ..answer
    };
    run.handle(Event::Located(whole(answer(State::New, 0))));
    let Step::Send {
        part,
        offset: 0,
        length: SIZE,
        ..
    } = run.handle(Event::Settled)
    else {
        panic!("no send of the whole file");
    };
    run.send_failed(part, 1000, connection_lost());
    run.handle(Event::Recovered);
    run.handle(Event::Begun);
    let step = run.handle(Event::Located(whole(answer(State::Complete, SIZE))));
    assert!(matches!(step, Step::Recover { .. }), "{step:?}");
}

#[test]
fn a_section_that_begins_anew_is_found_by_a_locate() {
    let mut run = two();
    let gone = Outcome::OffsetMismatch(held(&[]));
    assert!(sends(run.sent(PartId(2), LENGTH + 9, gone)).is_empty());
    let step = run.sent(PartId(1), FIRST, Outcome::Accepted(held(&[(0, FIRST)])));
    assert!(matches!(step, Step::Locate { .. }), "{step:?}");
    run.handle(Event::Located(held(&[(0, FIRST)])));
    let next = sends(run.handle(Event::Settled));
    assert_eq!((next[0].0, next[0].2), (LENGTH, None));
}
