//! The libraries and programs for Linux on this and other machines: what they export and need, and uploads by them.
//! `make test-linux` builds what these tests need.
#![cfg(target_os = "linux")]

#[path = "platforms/archive.rs"]
mod archive;
#[path = "platforms/commands.rs"]
mod commands;
#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "platforms/image.rs"]
mod image;
#[allow(dead_code)]
#[path = "c/one.rs"]
mod one;
#[path = "platforms/platform.rs"]
mod platform;
#[allow(dead_code)]
#[path = "c/programs.rs"]
mod programs;
#[path = "platforms/uploads.rs"]
mod uploads;

use resup_test_support::receiver::Receiver;

use platform::all;
use programs::{hanging_server, BEHAVIOUR, MISUSE};

#[test]
fn a_program_that_keeps_the_rules_gets_what_the_header_promises() {
    for platform in all() {
        let (receiver, hanging) = (Receiver::start(), hanging_server());
        let program = platform.build("behaviour", &BEHAVIOUR);
        let mut command = platform.command(&program);
        command.arg(receiver.endpoint());
        command.arg(platform.bench.dir("files"));
        command.arg(receiver.data()).arg(hanging.endpoint());
        platform.run(command.args(["24", "2000"]));
    }
}

#[test]
fn a_program_that_breaks_the_rules_gets_errors_and_no_crash() {
    for platform in all() {
        let program = platform.build("misuse", &MISUSE);
        let mut command = platform.command(&program);
        command.arg(platform.bench.dir("files"));
        platform.run(command.args(["20000", "2000"]));
    }
}
