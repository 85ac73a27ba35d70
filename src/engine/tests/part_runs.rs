//! Runs with several sends under way, at the server of a test that makes faults of every kind.

use std::panic::{catch_unwind, AssertUnwindSafe};

use resup_test_support::{runs, seed};

use super::*;

/// How many runs are made; `RESUP_TEST_RUNS` multiplies them.
pub const RUNS: u64 = 10_000;
/// The most steps that a run may take.
const MAX_STEPS: u32 = 20_000;

/// How a send ended: how far its bytes were read, and what came of it.
pub type Ended = (u64, Result<Outcome, Stop>);

/// The server of a test, with the sends that are under way to it.
pub trait Server {
    /// Makes one that is in a random state.
    fn new(rng: fastrand::Rng) -> Self;

    fn rng(&mut self) -> &mut fastrand::Rng;

    fn locate(&mut self) -> Result<Answer, Stop>;

    /// Compares a digest with that of the file's bytes.
    fn compare(&mut self, from: u64, to: u64, digest: Digest) -> bool;

    fn send(&mut self, offset: u64, length: u64, restart: Option<Digest>) -> Ended;

    /// Begins parts.
    fn begin_parts(&mut self, sends: Vec<PartSend>);

    fn parts_under_way(&self) -> usize;

    /// The most parts that were under way at a time.
    fn most_parts(&self) -> usize;

    /// Ends one of the parts that are under way, by a fault for sure if `abort` is set.
    fn end_part(&mut self, abort: bool) -> (PartId, Ended);

    /// Checks what holds after each event.
    fn check_event(&self) {}

    /// Checks what holds after a run that succeeded.
    fn check_success(&self);
}

/// Makes a plan for a file of this size, with segments of random sizes.
pub fn random_plan(rng: &mut fastrand::Rng, size: u64, connections: usize) -> Plan {
    Plan {
        size,
        connections,
        retry: RetryPolicy {
            limit: 6,
            ..plan().retry
        },
        segment_size: match rng.u8(..4) {
            0 => SegmentSize::Fixed(rng.u64(1..size + 2).max(size / 60 + 1)),
            1 => SegmentSize::Automatic,
            _ => SegmentSize::Unlimited,
        },
        ..plan()
    }
}

/// Makes a failure as servers and networks have it.
pub fn random_failure(rng: &mut fastrand::Rng) -> Stop {
    Stop::Failed(match rng.u8(..8) {
        0 => Error::bad_response("a page"),
        1 => refused(RefusalKind::Busy, 503),
        2 => refused(RefusalKind::Busy, 429),
        3 => refused(RefusalKind::TooLarge, 413),
        _ => connection_lost(),
    })
}

/// Makes one run; gives its result.
pub fn run(server: &mut impl Server, plan: Plan) -> Result<(), Error> {
    let size = plan.size;
    let (mut transfer, mut step) = Transfer::new(plan);
    let mut now = Instant::now();
    // Whether the program wants a pause while parts are under way.
    let mut pauses = false;
    let mut measured = 0;
    for _ in 0..MAX_STEPS {
        let event = match step {
            Step::Finish(result) => return result,
            Step::Begin => {
                pauses = false;
                Event::Begun
            }
            Step::Locate { .. } => match server.locate() {
                Ok(answer) => Event::Located(answer),
                Err(stop) => Event::Stopped(stop),
            },
            Step::Compare { length, digest } => Event::Compared {
                equal: server.compare(0, length, digest),
            },
            Step::CompareRange(range) => Event::Compared {
                equal: server.compare(range.from, range.to, range.digest),
            },
            Step::Settle { offset, held, .. } => {
                assert!(offset <= held && held <= size);
                Event::Settled
            }
            Step::Send {
                part,
                offset,
                length,
                restart,
            } => {
                let (read, result) = server.send(offset, length, restart);
                Event::Sent { part, read, result }
            }
            Step::SendParts { sends, abort } => {
                server.begin_parts(sends);
                pauses |= server.rng().u8(..100) == 0;
                if !abort && !pauses && server.rng().u8(..8) > 0 {
                    // All that is under way moves on.
                    measured += 100_000 * server.parts_under_way() as u64;
                    Event::Measured {
                        sent: measured,
                        under_way: server.rng().u64(..1 << 20),
                    }
                } else {
                    let (part, (read, result)) = server.end_part(abort || pauses);
                    let result = match pauses {
                        true => Err(Stop::Interrupted),
                        false => result,
                    };
                    Event::Sent { part, read, result }
                }
            }
            Step::Recheck => Event::Rechecked,
            Step::Conclude { .. } => Event::Concluded,
            Step::Recover { .. } => Event::Recovered,
            other => unreachable!("{other:?}"),
        };
        server.check_event();
        now += Duration::from_millis(server.rng().u64(..500));
        step = transfer.handle(event, now, server.rng().u64(..));
    }
    panic!("the run does not end");
}

/// Makes random runs, and checks that each ends, and that those that succeed have brought the file.
pub fn check_histories<S: Server>(run: impl Fn(&mut S) -> Result<(), Error>) {
    let seed = seed::seed();
    let count = RUNS * runs::count(1);
    let (mut succeeded, mut at_a_time) = (0, [0; 7]);
    for case in 0..count {
        let mut server = S::new(seed::rng(seed.wrapping_add(case)));
        let checked = AssertUnwindSafe(|| match run(&mut server) {
            Ok(()) => {
                server.check_success();
                true
            }
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                false
            }
        });
        let is_success = catch_unwind(checked).unwrap_or_else(|_| panic!("case {case}"));
        succeeded += u64::from(is_success);
        at_a_time[server.most_parts()] += 1;
    }
    println!("{succeeded} of {count} succeeded; parts at a time: {at_a_time:?}");
    assert!(succeeded > count / 4, "{succeeded}");
    assert!(at_a_time[6] > count / 100, "{at_a_time:?}");
}
