//! What is for Windows, in wine: the DLLs, C and C++ programs that use them, the command, and the receiver.
//! `make test-windows` builds what these tests need.
#![cfg(target_os = "linux")]

#[path = "windows/archive.rs"]
mod archive;
#[path = "windows/command.rs"]
mod command;
#[path = "windows/cpp.rs"]
mod cpp;
#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "windows/image.rs"]
mod image;
#[path = "windows/java.rs"]
mod java;
#[allow(dead_code)]
#[path = "c/one.rs"]
mod one;
#[path = "windows/paths.rs"]
mod paths;
#[path = "c/programs.rs"]
mod programs;
#[path = "windows/receiver.rs"]
mod receiver;
#[path = "windows/uploads.rs"]
mod uploads;
#[path = "windows/wine.rs"]
mod wine;

use resup_test_support::files;
use resup_test_support::receiver::Receiver;

use programs::{hanging_server, BEHAVIOUR, FLOAT, MISUSE};
use wine::both;

const LIBRARY: &str = "libresup.dll.a";

#[test]
fn a_program_that_keeps_the_rules_gets_what_the_header_promises() {
    for wine in both() {
        let (receiver, hanging) = (Receiver::start(), hanging_server());
        let program = wine.build("behaviour", &BEHAVIOUR, LIBRARY);
        let mut command = wine.command(&program);
        command.arg(receiver.endpoint());
        command.arg(wine.bench.dir("files")).arg(receiver.data());
        command.arg(hanging.endpoint()).args(["24", "2000"]);
        wine.run(&mut command);
    }
}

#[test]
fn a_program_that_breaks_the_rules_gets_errors_and_no_crash() {
    for wine in both() {
        let program = wine.build("misuse", &MISUSE, LIBRARY);
        let mut command = wine.command(&program);
        command.arg(wine.bench.dir("files")).args(["20000", "2000"]);
        wine.run(&mut command);
    }
}

#[test]
fn a_program_that_unmasks_floating_point_exceptions_keeps_them_unmasked() {
    for wine in both() {
        let receiver = Receiver::start();
        let program = wine.build("float", &FLOAT, LIBRARY);
        wine.run(wine.command(&program).arg(receiver.endpoint()));
    }
}

#[test]
fn the_librarys_threads_keep_their_code_when_it_is_unloaded() {
    for wine in both() {
        let receiver = Receiver::start();
        let file = wine.bench.path("file.bin");
        files::make(&file, 24 << 20, 1).unwrap();
        let program = wine.build("unload", &["unload.c", "check.c"], LIBRARY);
        let mut command = wine.command(&program);
        command.arg("resup.dll").arg(receiver.endpoint()).arg(&file);
        wine.run(&mut command);
    }
}
