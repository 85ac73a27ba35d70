//! Uploads over TLS whose connection is lost at any byte, the handshake included.

use std::sync::Arc;
use std::time::Duration;

use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::{files, runs, seed};

use super::connector::Connector;
use super::driver::Driver;
use super::ids::KnownIds;
use super::learned_digest::LearnedDigest;
use super::learned_store::LearnedStore;
use super::setup::Setup;
use super::tests::job;
use crate::control::rate::Limiter;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::engine::LearnedLimit;
use crate::http::Exchange;
use crate::options::{
    DigestAlgorithm, DigestMode, FilenameStyle, LocateMethod, RetryPolicy, SegmentSize,
};
use crate::protocol::form::Form;
use crate::protocol::Job;
use crate::source::Opener;
use crate::transport::{Connection, ConnectionOptions};

struct TlsConnector<'a> {
    options: &'a ConnectionOptions,
    ca_pem: &'a str,
}

impl Connector for TlsConnector<'_> {
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop> {
        let connection = Connection::trusting(self.options, self.ca_pem);
        Ok(Box::new(connection))
    }
}

/// Uploads `content` through a proxy whose first connection has `faults`. Gives the bytes that
/// went each way.
fn upload(receiver: &ModelReceiver, name: &str, content: &[u8], faults: Faults) -> (u64, u64) {
    let mut faults = Some(faults);
    let proxy = ChaosProxy::start(
        receiver.addr(),
        move |_, _| faults.take().unwrap_or_default(),
        0,
    );
    let mut options = ConnectionOptions::new(&receiver.endpoint_at(proxy.addr())).unwrap();
    options.limits.response = Duration::from_secs(5);
    let control = Control::default();
    let opener = Opener::Memory(Arc::new(content.to_vec()));
    let mut source = opener.open(&control).unwrap();
    let protocol = Form::new(
        options.endpoint.clone(),
        LocateMethod::Post,
        FilenameStyle::Whatwg,
        None,
    );
    let connector = TlsConnector {
        options: &options,
        ca_pem: receiver.ca_pem(),
    };
    let (unlimited, ids) = (Limiter::default(), KnownIds::default());
    let learned = LearnedDigest::default();
    let learned_store = LearnedStore::default();
    let driver = Driver::new(Setup {
        protocol: &protocol,
        connector: &connector,
        control: &control,
        source: &mut *source,
        key: None,
        job: Job {
            name: name.to_owned(),
            mtime: None,
            ..job(content.len() as u64)
        },
        retry: RetryPolicy {
            base: Duration::from_millis(2),
            ..RetryPolicy::default()
        },
        digest: DigestMode::OnePass,
        algorithm: DigestAlgorithm::Automatic,
        state_file: None,
        segment_size: SegmentSize::Unlimited,
        learned_limit: LearnedLimit::default(),
        learned_digest: &learned,
        asks_first: false,
        creates_with_file: false,
        learned_store: &learned_store,
        connections: 0,
        reads_back: false,
        ids: &ids,
        rates: [&unlimited, &unlimited],
    });
    let result = driver.run();
    result.unwrap_or_else(|e| panic!("cut at byte {name}: {e}"));
    if name == "whole" {
        // The proxy counts bytes after it has passed them on.
        std::thread::sleep(Duration::from_millis(100));
    }
    (proxy.bytes_up(), proxy.bytes_down())
}

/// Cuts connections at places spread evenly over one direction; at every byte, if `RESUP_TEST_RUNS`
/// is large.
fn cuts(how: Cut, up: bool) {
    let receiver = ModelReceiver::with(Options {
        tls: true,
        ..Options::default()
    });
    // Each upload has its own content: the server would recognise the same one by its digest.
    let content = |n: u64| files::bytes(700, n);
    let whole = upload(&receiver, "whole", &content(u64::MAX), Faults::default());
    let bytes = if up { whole.0 } else { whole.1 };
    assert!(bytes > 1000, "{bytes}");
    let step = (bytes / runs::count(80)).max(1);
    let first = seed::rng(seed::seed()).u64(..step);
    runs::on_threads(2, (bytes - first).div_ceil(step), |number| {
        let n = first + number * step;
        let faults = Faults {
            cut_up_after: up.then_some(n),
            cut_down_after: (!up).then_some(n),
            how,
            ..Faults::default()
        };
        upload(&receiver, &n.to_string(), &content(n), faults);
    });
}

#[test]
fn a_reset_at_any_byte_of_the_requests_is_survived() {
    cuts(Cut::Rst, true);
}

#[test]
fn a_close_at_any_byte_of_the_requests_is_survived() {
    cuts(Cut::Fin, true);
}

#[test]
fn a_reset_at_any_byte_of_the_responses_is_survived() {
    cuts(Cut::Rst, false);
}

#[test]
fn a_close_at_any_byte_of_the_responses_is_survived() {
    cuts(Cut::Fin, false);
}
