//! Uploads a file and shows how far it is.
//!
//!     cargo run --example upload -- URL FILE
//!
//! Run it again after it was interrupted: it goes on from what the server has. Progress goes to
//! stderr, the outcome, one line, to stdout.

use std::io::Write;
use std::process::ExitCode;

use resup::{Client, DigestAlgorithm, Error, Flow, Remote, Snapshot, Upload, UploadState};

fn show(now: &Snapshot) {
    let percent = 100.0 * now.position as f64 / now.size.max(1) as f64;
    let (done, size) = (now.position as f64 / 1e6, now.size as f64 / 1e6);
    let rate = now.rate as f64 / 1e6;
    eprint!("\r{percent:5.1} %  {done:.1} of {size:.1} MB  {rate:.1} MB/s ");
    // Nothing is lost when a line of progress cannot be shown.
    let _ = std::io::stderr().flush();
}

/// Gives the digest by which client and server compared the file.
fn digest(remote: &Remote) -> String {
    let algorithm = match remote.digest_algorithm() {
        Some(DigestAlgorithm::Blake3) => "blake3",
        Some(DigestAlgorithm::Sha256) => "sha256",
        Some(DigestAlgorithm::Md5) => "md5",
        Some(DigestAlgorithm::Automatic) | None => return "no digest".to_owned(),
    };
    format!("{algorithm}:{}", remote.digest().unwrap_or_default())
}

fn upload(url: &str, file: &str) -> Result<(), Error> {
    let client = Client::new(url)?;
    let mut upload = Upload::from_file(&client, file)?;
    // A server of tus takes the file, too. For another run of this program to go on there, one line more:
    // upload.set_state_file(format!("{file}.state"))?;
    let remote = upload.remote();
    upload.on_progress(|now| {
        show(now);
        Flow::Continue // Flow::Cancel ends the upload
    });
    upload.on_state(move |state| {
        if let (UploadState::Waiting, Some(failure)) = (state, remote.failure()) {
            let wait = remote.snapshot().retry_in.unwrap_or_default();
            eprintln!("\n{failure}; next attempt in {wait:.1?}");
        }
        Flow::Continue
    });
    let outcome = upload.run();
    eprintln!();
    outcome?;
    let remote = upload.remote();
    let end = remote.snapshot();
    let (sent, there) = (end.bytes_sent, end.bytes_skipped);
    let (id, digest) = (remote.id().unwrap_or_default(), digest(&remote));
    println!("{file}: complete, sent={sent} skipped={there} id={id}, {digest}");
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, file] = &arguments[..] else {
        eprintln!("usage: upload URL FILE");
        return ExitCode::from(2);
    };
    match upload(url, file) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(error) if error.is_retryable() => println!("{file}: {error}; run it again later"),
        Err(error) => println!("{file}: {error}"),
    }
    ExitCode::FAILURE
}
