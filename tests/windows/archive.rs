//! What is handed out for Windows: the archive's links and checksums, and each first step of its README, as it is written there.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use resup_test_support::files;

use super::harness::root;
use super::wine::{both, build_dir, windows_path, Wine};

/// The address in the README, in whose place is a free one.
const ADDRESS: &str = "127.0.0.1:8080";

/// Unpacks the archive that `make dist-windows` has made.
fn unpack(wine: &Wine) -> PathBuf {
    let dist = std::env::var_os("RESUP_DIST").expect("run by `make test-windows`");
    let name = format!("resup-{}-windows-{}", env!("CARGO_PKG_VERSION"), wine.arch);
    let archive = Path::new(&dist).join(format!("{name}.zip"));
    let mut unzip = Command::new("unzip");
    unzip
        .arg("-q")
        .arg(archive)
        .arg("-d")
        .arg(wine.bench.path("."));
    assert!(unzip.status().unwrap().success());
    wine.bench.path(&name)
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => all_files(&path),
            false => vec![path],
        })
        .collect()
}

/// Finds the links of a Markdown page that lead to files.
fn links(text: &str) -> Vec<&str> {
    let text = text.split("```").step_by(2);
    let links = text.flat_map(|part| part.split("](").skip(1));
    links
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|link| !link.is_empty() && !link.contains(':'))
        .collect()
}

#[test]
fn the_archive_is_whole_and_each_link_in_it_leads_somewhere() {
    for wine in both() {
        let top = unpack(&wine);
        let mut check = Command::new("sha256sum");
        check.args(["--check", "--quiet", "--strict", "SHA256SUMS"]);
        assert!(check.current_dir(&top).status().unwrap().success());
        let all = all_files(&top);
        let sums = std::fs::read_to_string(top.join("SHA256SUMS")).unwrap();
        assert_eq!(sums.lines().count(), all.len() - 1, "all but the list");
        let mut count = 0;
        for page in all
            .iter()
            .filter(|it| it.extension().is_some_and(|it| it == "md"))
        {
            let text = std::fs::read_to_string(page).unwrap();
            for link in links(&text) {
                let target = page.parent().unwrap().join(link);
                assert!(target.exists(), "{}: {link}", page.display());
                count += 1;
            }
        }
        assert!(count > 40, "{count} links");
        let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
        assert!(!readme.contains('@'), "a placeholder is left");
        // What the table names in code is there, too.
        let named = readme.split('`').skip(1).step_by(2);
        for path in named.filter(|it| it.starts_with("bin\\resup") || it.starts_with("lib\\")) {
            let path = path.split_whitespace().next().unwrap().replace('\\', "/");
            assert!(top.join(&path).exists(), "{path}");
        }
    }
}

/// A program that is killed at the end.
struct Background(Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The directory of an unpacked archive, in which the README's commands are called.
struct Console<'a> {
    wine: &'a Wine,
    top: PathBuf,
}

impl Console<'_> {
    /// Makes a command of a line, as Windows' own shell reads it.
    fn line(&self, line: &str) -> Command {
        let mut command = self.wine.command("cmd.exe".as_ref());
        command.args(["/c", line]).current_dir(&self.top);
        // Free Pascal for Windows.
        command.env("WINEPATH", windows_fpc(self.wine));
        command
    }

    /// Starts the receiver, and waits until it listens.
    fn start(&self, line: &str) -> Background {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap().replace('\\', "/");
        let mut command = self.wine.command(&self.top.join(program));
        command.args(words).current_dir(&self.top);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let running = Background(child);
        let mut said = String::new();
        BufReader::new(stdout).read_line(&mut said).unwrap();
        assert!(said.starts_with("listening on "), "{said}");
        running
    }

    fn call(&self, line: &str) -> String {
        println!("{}> {line}", self.wine.arch);
        let mut command = match line.split(' ').next() {
            // The compiler for Windows is one of this system here.
            Some(gcc) if gcc.contains("-mingw32-") => {
                let mut shell = Command::new("sh");
                shell.args(["-c", line]).current_dir(&self.top);
                shell
            }
            _ => self.line(line),
        };
        self.wine.run(&mut command).stdout
    }
}

/// Returns where Free Pascal as a Windows program is: beside the programs under test, since 32-bit programs see nothing else.
fn windows_fpc(wine: &Wine) -> String {
    let place = wine.bench.path("fpc");
    let windows = windows_path(&place);
    if !place.exists() {
        let fpc = build_dir().join("fpc");
        let units = match wine.arch {
            "i686" => "units/i386-win32",
            _ => "units/x86_64-win64",
        };
        let mut copy = Command::new("cp");
        copy.arg("-R").arg(fpc.join("windows").join(wine.arch));
        assert!(copy.arg(&place).status().unwrap().success());
        let mut copy = Command::new("cp");
        copy.arg("-R").arg(fpc.join(units)).arg(place.join("units"));
        assert!(copy.status().unwrap().success());
        let settings = format!("-Fu{windows}\\units\n-v0e\n");
        std::fs::write(place.join("fpc.cfg"), settings).unwrap();
    }
    windows
}

/// Returns the lines of the code blocks of a language.
fn code<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let mark = format!("```{language}\n");
    let blocks = text.split(&mark).skip(1);
    blocks
        .map(|rest| rest.split("```").next().unwrap())
        .collect()
}

#[test]
fn each_first_step_of_its_readme_does_what_it_says() {
    for wine in both() {
        let top = unpack(&wine);
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
        let readme = readme.replace(ADDRESS, &address);
        let [hello] = code(&readme, "cpp")[..] else {
            panic!("one program in C++")
        };
        std::fs::write(top.join("hello.cpp"), hello).unwrap();
        let console = Console { wine: &wine, top };
        let steps: Vec<_> = code(&readme, "bat")
            .concat()
            .lines()
            .map(str::to_owned)
            .collect();
        let _receiver = console.start(&steps[0]);
        let said: Vec<_> = steps[1..].iter().map(|line| console.call(line)).collect();
        assert_eq!(said.len(), 10);
        let stored = console.top.join("uploads/files/_");
        for name in ["CHANGELOG.md", "README.md"] {
            files::assert_same(&console.top.join(name), &stored.join(name));
        }
        let page = "docs/guide/src/start.md";
        let uploaded = stored.join("manual").join(page);
        files::assert_same(&console.top.join(page), &uploaded);
        let found = |text: &str| said.iter().filter(|it| it.contains(text)).count();
        let size = std::fs::metadata(root().join("CHANGELOG.md"))
            .unwrap()
            .len();
        // C, C++ and Pascal find all of it there.
        assert_eq!(found(&size.to_string()), 3, "{said:#?}");
    }
}
