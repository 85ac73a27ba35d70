//! Measures what uploads cost with resup, beside `curl -F` and `md5sum`, all against the same sink.
//!
//! `make bench` runs it. Environment: `BENCH_SIZE`, the size of the big file in MiB; `BENCH_RUNS`, the number of
//! runs; `BENCH_FILES`, the number of small files. It only prints: a missed target is no failure.

mod child;
mod sink;
mod table;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use child::{measure, Cost, Sink};
use resup_test_support::files;
use table::{ratio, Runs};

const MIB: u64 = 1 << 20;

fn main() -> io::Result<()> {
    let args: Vec<_> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("sink") => sink::serve(&sink::Held {
            bytes: args[2].parse().expect("a number of bytes"),
            md5: args.get(3).cloned().unwrap_or_default(),
        }),
        Some(uploader) => Bench::new(uploader)?.run(),
        None => {
            println!("usage: resup-bench UPLOADER");
            Ok(())
        }
    }
}

/// Reads a number from the environment.
fn number(variable: &str, default: u64) -> u64 {
    let value = std::env::var(variable).ok();
    value.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is \"{text}\" and not a number"))
    })
}

struct Bench {
    uploader: String,
    dir: tempfile::TempDir,
    big: PathBuf,
    size: u64,
    runs: u64,
    curl: bool,
}

impl Bench {
    fn new(uploader: &str) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let big = dir.path().join("big.bin");
        let size = number("BENCH_SIZE", 1024) * MIB;
        files::make(&big, size, 1)?;
        let curl = Command::new("curl").arg("--version").output().is_ok();
        if !curl {
            println!("curl is not installed: nothing to compare with, only costs are shown");
        }
        Ok(Bench {
            uploader: uploader.to_owned(),
            dir,
            big,
            size,
            runs: number("BENCH_RUNS", 5),
            curl,
        })
    }

    fn run(&self) -> io::Result<()> {
        println!(
            "{} MiB, {} runs of each in turn: median (least to most)",
            self.size / MIB,
            self.runs
        );
        self.big_file();
        self.resume()?;
        self.small_files()?;
        self.memory()
    }

    fn upload(&self, sink: &Sink, digest: &str, files: &[&Path]) -> Cost {
        self.upload_with(sink, [digest, "-", "0", "0", "0"], files)
    }

    /// Uploads with these arguments: digest, state file, segment size, byte and second of the cancel.
    fn upload_with(&self, sink: &Sink, arguments: [&str; 5], files: &[&Path]) -> Cost {
        let mut command = Command::new(&self.uploader);
        measure(command.arg(sink.url()).args(arguments).args(files))
    }

    fn curl(&self, sink: &Sink, file: &Path) -> Option<Cost> {
        let form = format!("file=@{}", file.display());
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-F", &form, &sink.url()]);
        self.curl.then(|| measure(&mut command))
    }

    /// Measures one upload of the big file, without and with its MD5.
    fn big_file(&self) {
        let sink = Sink::start(0, "");
        let (mut plain, mut md5) = (Runs::new("resup, no digest"), Runs::new("resup, MD5"));
        let (mut curl, mut md5sum) = (Runs::new("curl -F"), Runs::new("md5sum"));
        for _ in 0..self.runs {
            plain.add(self.upload(&sink, "none", &[&self.big]));
            if let Some(cost) = self.curl(&sink, &self.big) {
                curl.add(cost);
            }
            md5.add(self.upload(&sink, "md5", &[&self.big]));
            md5sum.add(measure(Command::new("md5sum").arg(&self.big)));
        }
        println!("\nOne upload over loopback");
        for runs in [&plain, &curl, &md5, &md5sum] {
            runs.show();
        }
        if self.curl {
            ratio(
                "no digest: wall, of curl's",
                plain.wall() / curl.wall(),
                1.0,
            );
            ratio("no digest: cpu, of curl's", plain.cpu() / curl.cpu(), 0.9);
            let slower = md5sum.wall().max(curl.wall());
            ratio("MD5: wall, of the slower", md5.wall() / slower, 1.1);
        }
    }

    /// Measures the resume of a file of which the server has 95 %.
    fn resume(&self) -> io::Result<()> {
        let held = self.size / 100 * 95;
        let (state, saved_state) = (self.dir.path().join("state"), self.dir.path().join("saved"));
        let (prefix, rest) = (self.dir.path().join("prefix"), self.dir.path().join("rest"));
        let mut big = File::open(&self.big)?;
        io::copy(
            &mut io::Read::take(&mut big, held),
            &mut File::create(&prefix)?,
        )?;
        io::copy(&mut big, &mut File::create(&rest)?)?;
        let empty = Sink::start(0, "");
        let (state_text, held_text) = (state.display().to_string(), held.to_string());
        // Cancelled once the server has confirmed the first 95 %.
        let cancelled = ["md5", &state_text, &held_text, &held_text, "0"];
        self.upload_with(&empty, cancelled, &[&self.big]);
        if fs::rename(&state, &saved_state).is_err() {
            println!("\nResume: not measured, since so small a file is complete before it can be cancelled");
            return Ok(());
        }

        let sink = Sink::start(held, &files::md5_hex(&prefix)?);
        let mut alone = Runs::new("the last 5 % alone, MD5");
        let mut saved = Runs::new("resume with saved state");
        let (mut unsaved, mut hash) = (Runs::new("resume without"), Runs::new("md5sum of 95 %"));
        for _ in 0..self.runs {
            alone.add(self.upload(&empty, "md5", &[&rest]));
            fs::copy(&saved_state, &state)?;
            saved.add(self.upload_with(&sink, ["md5", &state_text, "0", "0", "0"], &[&self.big]));
            unsaved.add(self.upload(&sink, "md5", &[&self.big]));
            hash.add(measure(Command::new("md5sum").arg(&prefix)));
        }
        println!("\nResume of a file of which 95 % is there");
        for runs in [&alone, &saved, &unsaved, &hash] {
            runs.show();
        }
        ratio(
            "saved: wall, of the 5 % alone",
            saved.wall() / alone.wall(),
            1.1,
        );
        let sum = alone.wall() + hash.wall();
        ratio("not saved: of 5 % and one hash", unsaved.wall() / sum, 1.1);
        Ok(())
    }

    /// Measures many small files over one connection. resup locates each before it sends it, curl only sends.
    fn small_files(&self) -> io::Result<()> {
        let count = number("BENCH_FILES", 10_000) as usize;
        let paths: Vec<_> = (0..count)
            .map(|i| self.dir.path().join(format!("small-{i}")))
            .collect();
        let mut config = String::new();
        let sink = Sink::start(0, "");
        for (i, path) in paths.iter().enumerate() {
            files::make(path, 4096, i as u64)?;
            let next = if i > 0 { "next\n" } else { "" };
            let (file, url) = (path.display(), sink.url());
            config += &format!("{next}url=\"{url}\"\nform=\"file=@{file}\"\noutput=/dev/null\n");
        }
        let config_path = self.dir.path().join("curl.conf");
        fs::write(&config_path, config)?;
        let files: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
        let (mut resup, mut curl) = (Runs::new("resup, MD5"), Runs::new("curl, one connection"));
        let mut few = Runs::new("resup, the first hundredth");
        for _ in 0..self.runs.min(3) {
            resup.add(self.upload(&sink, "md5", &files));
            few.add(self.upload(&sink, "md5", &files[..(count / 100).max(1)]));
            if self.curl {
                let mut command = Command::new("curl");
                command.arg("-s").arg("-K").arg(&config_path);
                curl.add(measure(&mut command));
            }
        }
        println!("\n{count} files of 4 KiB");
        for runs in [&resup, &few, &curl] {
            runs.show();
        }
        if self.curl {
            ratio("wall, of curl's", resup.wall() / curl.wall(), 1.0);
        }
        ratio(
            "per file, of the first 1 %",
            resup.wall() / 100.0 / few.wall(),
            1.0,
        );
        Ok(())
    }

    /// Measures the memory that an upload needs beyond what the process had before.
    fn memory(&self) -> io::Result<()> {
        println!("\nMemory, more than before the upload; target 8 MiB, the same for all");
        let sink = Sink::start(0, "");
        let (small, huge) = (self.dir.path().join("1-mib"), self.dir.path().join("1-tib"));
        files::make(&small, MIB, 2)?;
        File::create(&huge)?.set_len(1 << 40)?;
        for (name, file, seconds) in [
            ("1 MiB", &small, "0"),
            ("the big file", &self.big, "0"),
            ("1 TiB (sparse, its first seconds)", &huge, "5"),
        ] {
            let cost = self.upload_with(&sink, ["md5", "-", "0", "0", seconds], &[file]);
            let more: f64 = cost.output.parse().unwrap_or(f64::NAN);
            println!("  {name:<34} {:>7.1} MiB", more / 1024.0);
        }
        Ok(())
    }
}
