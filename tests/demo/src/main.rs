//! Shows the main job: an upload through the C ABI that is interrupted five times and completes.
//!
//! `resup-demo UPLOAD_PROGRAM` starts the receiver and a proxy before it, runs the C program
//! through the proxy, cuts the connection three times at random places, kills the program once
//! and the receiver once, starts both again, and compares what is stored with the source.
//! Environment: `FILE`, the file to upload instead of a new one; `SIZE` of the new one in MiB;
//! `RESUP_TEST_SEED`, to repeat a run; `RESUP_RECEIVER`, the program of the receiver.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Context, Result};
use resup_digests::{Algorithm, State};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::files;
use resup_test_support::receiver::Setup;
use resup_test_support::seed;

/// The interruptions in their order, each at a random place of its fifth of the file.
const INTERRUPTIONS: [Interruption; 5] = [
    Interruption::Connection,
    Interruption::Uploader,
    Interruption::Connection,
    Interruption::Receiver,
    Interruption::Connection,
];

#[derive(Debug, Clone, Copy)]
enum Interruption {
    Connection,
    Uploader,
    Receiver,
}

/// How long anything may take; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    match demo() {
        Ok(line) => {
            println!("demo: OK {line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("demo: FAILED {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demo() -> Result<String> {
    let program = std::env::args_os()
        .nth(1)
        .map(PathBuf::from)
        .context("usage: resup-demo UPLOAD_PROGRAM")?;
    ctrlc::set_handler(|| INTERRUPTED.store(true, Relaxed)).context("no signal handler")?;
    let seed = seed::seed();
    let mut rng = seed::rng(seed);
    let work = Work::new(&program)?;
    let file = source(&work.0, seed)?;
    let size = std::fs::metadata(&file)
        .with_context(|| format!("{} cannot be read", file.display()))?
        .len();
    ensure!(
        size >= 16 << 20,
        "the file has {size} bytes; five interruptions need 16 MiB or more"
    );

    let mut receiver = Setup::new().data(work.0.join("received")).start();
    let proxy = ChaosProxy::clean(receiver.addr());
    let endpoint = format!("http://{}/upload", proxy.addr());
    println!(
        "receiver at {}, upload through {endpoint}",
        receiver.endpoint()
    );

    let mut uploader = Uploader::start(&program, &endpoint, &file)?;
    for (fifth, what) in INTERRUPTIONS.into_iter().enumerate() {
        let place = (fifth as f64 + 0.2 + 0.6 * rng.f64()) / INTERRUPTIONS.len() as f64;
        let at = (size as f64 * place) as u64;
        wait_until(&mut uploader, || proxy.bytes_up() >= at)
            .with_context(|| format!("on the way to interruption {} at byte {at}", fifth + 1))?;
        match what {
            Interruption::Connection => {
                eprintln!("\ndemo: cutting the connection");
                proxy.cut_all();
            }
            Interruption::Uploader => {
                uploader.kill()?;
                eprintln!("\ndemo: killed the uploading program; starting it again");
                uploader = Uploader::start(&program, &endpoint, &file)?;
            }
            Interruption::Receiver => {
                receiver.kill();
                eprintln!("\ndemo: killed the receiver; starting it again");
                receiver.restart();
                proxy.set_target(receiver.addr());
            }
        }
    }
    let result = uploader.finish()?;
    let value = |key: &str| {
        result
            .get(key)
            .with_context(|| format!("no {key} in the result"))
    };

    let stored = receiver.stored_file(value("id")?);
    if let Some(at) = files::first_difference(&file, &stored)? {
        bail!("the stored file differs from the source at byte {at}");
    }
    let digest = value("digest")?;
    ensure!(
        digests(&stored)?.contains(digest),
        "the program reports another digest than the stored file's: {digest}"
    );
    let (sent, skipped) = (proxy.bytes_up(), value("skipped")?);
    ensure!(
        skipped != "0",
        "the second program began anew instead of going on"
    );
    let interruptions = INTERRUPTIONS.len();
    Ok(format!(
        "size={size} interruptions={interruptions} sent={sent} skipped={skipped} digest={digest}"
    ))
}

/// Makes the file to upload, unless `FILE` names one.
fn source(work: &Path, seed: u64) -> Result<PathBuf> {
    if let Some(file) = std::env::var_os("FILE").filter(|file| !file.is_empty()) {
        return Ok(file.into());
    }
    let size = match std::env::var("SIZE") {
        Ok(size) if !size.is_empty() => {
            let mib: u64 = size.parse().context("SIZE is no number of MiB")?;
            mib << 20
        }
        _ => 1 << 30,
    };
    let file = work.join("demo.bin");
    println!("making a file of {size} bytes");
    files::make(&file, size, seed).context("the file cannot be made")?;
    Ok(file)
}

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

fn check_interrupt() -> Result<()> {
    ensure!(!INTERRUPTED.load(Relaxed), "interrupted");
    Ok(())
}

/// The directory of the demo's files, beside the program; it is removed at the end.
struct Work(PathBuf);

impl Work {
    fn new(program: &Path) -> Result<Self> {
        let beside = program.parent().unwrap_or(Path::new("."));
        let dir = beside.join(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        Ok(Work(dir))
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The running C program; it is killed when this is dropped.
struct Uploader(Child);

impl Uploader {
    fn start(program: &Path, endpoint: &str, file: &Path) -> Result<Self> {
        Command::new(program)
            .arg(endpoint)
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()
            .map(Uploader)
            .with_context(|| format!("{} cannot be started", program.display()))
    }

    fn kill(&mut self) -> Result<()> {
        self.0.kill()?;
        let status = self.0.wait()?;
        ensure!(
            !status.success(),
            "the program ended before it could be killed"
        );
        Ok(())
    }

    /// Waits for the end; returns the `key=value` pairs of the program's last line.
    fn finish(mut self) -> Result<HashMap<String, String>> {
        let began = Instant::now();
        let status = loop {
            match self.0.try_wait()? {
                Some(status) => break status,
                None => ensure!(began.elapsed() < PATIENCE, "the upload does not end"),
            }
            check_interrupt()?;
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut out = String::new();
        let stdout = self.0.stdout.as_mut().context("no stdout")?;
        stdout.read_to_string(&mut out)?;
        ensure!(status.success(), "the program ended with {status}");
        let pairs = out
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        Ok(pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
    }
}

impl Drop for Uploader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_until(uploader: &mut Uploader, condition: impl Fn() -> bool) -> Result<()> {
    let began = Instant::now();
    while !condition() {
        if let Some(status) = uploader.0.try_wait()? {
            bail!("the program ended early with {status}");
        }
        ensure!(began.elapsed() < PATIENCE, "nothing moves any more");
        check_interrupt()?;
        std::thread::sleep(Duration::from_micros(500));
    }
    Ok(())
}

/// Gives the digests of a file; the program's is one of them.
fn digests(path: &Path) -> Result<Vec<String>> {
    let mut states = Algorithm::ALL.map(State::new);
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 20];
    loop {
        let length = file.read(&mut block)?;
        if length == 0 {
            let digests = states.iter().map(State::digest);
            let told = digests.map(|it| format!("{}:{}", it.algorithm().name(), it.hex()));
            return Ok(told.collect());
        }
        states
            .iter_mut()
            .for_each(|state| state.update(&block[..length]));
    }
}
