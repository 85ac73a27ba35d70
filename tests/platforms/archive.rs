//! The archive for x86_64 with glibc in a Debian 11: unpacked, used by its own compiler, and its programs. Root runs it.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Command;

use resup_test_support::files;
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::tls::{Authority, Identity};
use resup_test_support::tools;

use super::commands::script;
use super::harness::{root, Bench};
use super::platform::{build_dir, names, LIMIT};
use super::uploads::{cutting, only_file, SIZE};

/// Returns the directory of the system.
fn system() -> PathBuf {
    build_dir().join("roots/debian-11")
}

/// Makes a command that runs a program in there.
fn inside(program: &str) -> Command {
    let mut command = Command::new(root().join("packaging/linux/in-root.sh"));
    command.arg(system()).arg(program);
    command
}

fn run(bench: &Bench, command: &mut Command) {
    let outcome = bench.run(command, LIMIT);
    println!("{}", outcome.stdout);
    outcome.assert_success();
}

/// Unpacks the archive and returns its directory, which is the same inside. `None`, if its platforms were not built.
fn unpack(bench: &Bench) -> Option<PathBuf> {
    for platform in ["x86_64-linux-gnu", "x86_64-linux-musl"] {
        if !names().iter().any(|name| name == platform) {
            tools::skip(&format!("{platform} was not built"));
            return None;
        }
    }
    let name = concat!("resup-", env!("CARGO_PKG_VERSION"), "-x86_64-linux-gnu");
    let archive = build_dir().join("dist").join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    run(
        bench,
        tar.arg("-xzf").arg(archive).arg("-C").arg(bench.path(".")),
    );
    Some(bench.path(name))
}

/// Starts the receiver of the archive inside.
fn receiver(bench: &Bench, archive: &Path) -> Receiver {
    let binary = bench.path("receiver.sh");
    script(
        &binary,
        &inside(archive.join("bin/resup-receiver").to_str().unwrap()),
    );
    let setup = Setup {
        binary: Some(binary),
        ..Setup::new()
    };
    setup.arg("--commit-bytes=1048576").start()
}

fn make_file(bench: &Bench) -> PathBuf {
    let file = bench.path("file.bin");
    files::make(&file, SIZE, 9).unwrap();
    file
}

#[test]
fn its_compiler_builds_programs_that_upload() {
    let bench = Bench::new();
    let Some(archive) = unpack(&bench) else {
        return;
    };
    std::fs::copy(root().join("examples/c/upload.c"), bench.path("upload.c")).unwrap();
    let file = make_file(&bench);
    for (program, libraries) in [
        ("shared", "--libs resup"),
        (
            "static",
            "--static --libs resup | sed s/-lresup/-l:libresup.a/",
        ),
    ] {
        let line = format!(
            "cd {} && export PKG_CONFIG_PATH={}/lib/pkgconfig && \
             gcc -Wall -Werror upload.c -o {program} $(pkg-config --cflags resup) $(pkg-config {libraries})",
            bench.path(".").display(),
            archive.display(),
        );
        run(&bench, inside("sh").args(["-c", &line]));
        let receiver = receiver(&bench, &archive);
        let proxy = cutting(&receiver);
        let mut upload = inside(bench.path(program).to_str().unwrap());
        upload.env("LD_LIBRARY_PATH", archive.join("lib"));
        upload
            .arg(format!("http://{}/upload", proxy.addr()))
            .arg(&file);
        run(&bench, &mut upload);
        files::assert_same(&file, &only_file(&receiver));
        assert!(proxy.connections() > 1);
    }
}

/// Answers each question for an address of a name with 127.0.0.1, until this process ends.
fn answer_names(socket: UdpSocket) {
    let mut packet = [0; 512];
    while let Ok((size, from)) = socket.recv_from(&mut packet) {
        // The head, and a name of labels that ends with an empty one, its type and class.
        let end = 12 + packet[12..size].iter().position(|byte| *byte == 0).unwrap() + 5;
        let is_a = packet[end - 4..end - 2] == [0, 1];
        let counts = [0, 1, 0, u8::from(is_a), 0, 0, 0, 0];
        let mut answer = [&packet[..2], &[0x81, 0x80], &counts, &packet[12..end]].concat();
        if is_a {
            // The name of the question, its type and class, for a minute.
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
        }
        let _ = socket.send_to(&answer, from);
    }
}

#[test]
fn the_command_finds_a_server_by_its_name() {
    let bench = Bench::new();
    let Some(archive) = unpack(&bench) else {
        return;
    };
    // Name servers are asked at this port only, so the address is one that nobody else has.
    let (socket, address) =
        std::iter::repeat_with(|| format!("127.77.{}.{}", fastrand::u8(1..), fastrand::u8(1..255)))
            .take(20)
            .find_map(|address| Some((UdpSocket::bind((&*address, 53)).ok()?, address)))
            .expect("port 53 of an address of this machine");
    std::thread::spawn(|| answer_names(socket));
    std::fs::write(
        system().join("etc/resolv.conf"),
        format!("nameserver {address}\n"),
    )
    .unwrap();
    let receiver = Receiver::start();
    let url = format!("http://upload.test:{}/upload", receiver.addr().port());
    let file = make_file(&bench);
    let mut command = inside(archive.join("bin/resup").to_str().unwrap());
    run(&bench, command.arg("put").arg(&file).arg(url));
    files::assert_same(&file, &only_file(&receiver));
}

#[test]
fn the_command_trusts_the_roots_of_the_system() {
    let bench = Bench::new();
    let Some(archive) = unpack(&bench) else {
        return;
    };
    let authority = Authority::new();
    let server = ModelReceiver::start_tls(Identity::of(authority.certify(), &authority));
    let file = bench.path("file.bin");
    files::make(&file, 100_000, 9).unwrap();
    let upload = || {
        let mut command = inside(archive.join("bin/resup").to_str().unwrap());
        command.arg("put").arg(&file).arg(server.endpoint());
        bench.run(command.args(["--retries", "0"]), LIMIT)
    };
    let roots = system().join("etc/ssl/certs/ca-certificates.crt");
    let of_debian = std::fs::read_to_string(&roots).unwrap();
    let with = format!("{of_debian}\n{}", authority.pem());
    let stranger = upload();
    std::fs::write(&roots, with).unwrap();
    let known = upload();
    std::fs::write(&roots, of_debian).unwrap();
    known.assert_success();
    assert!(!stranger.status.success(), "{}", stranger.stderr);
    assert!(
        stranger.stderr.contains("certificate"),
        "{}",
        stranger.stderr
    );
}
