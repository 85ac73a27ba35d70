//! Paths and files of Windows, and the proxy setting of its user.

use std::net::SocketAddr;
use std::process::Command;

use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

use super::uploads::one;
use super::wine::{both, Wine};
use super::LIBRARY;

/// Makes a directory available to Windows programs as `\\server\share`.
fn share(wine: &Wine) -> String {
    let server = wine.prefix().join("dosdevices/unc/server");
    std::fs::create_dir_all(&server).unwrap();
    let share = server.join("share");
    let _ = std::fs::remove_file(&share);
    std::os::unix::fs::symlink(wine.bench.path("files"), share).unwrap();
    r"\\server\share".to_owned()
}

#[test]
fn files_are_found_by_every_kind_of_path_and_shared_as_windows_shares_them() {
    for wine in both() {
        let receiver = Receiver::start();
        let sources = ["tests/windows/paths.c", "statuses.c", "check.c"];
        let program = wine.build("paths", &sources, LIBRARY);
        // The first program makes the directory that the share is shown in.
        wine.run(wine.command("cmd.exe".as_ref()).args(["/c", "ver"]));
        let files = wine.bench.dir("files");
        let mut command = wine.command(&program);
        command.arg(receiver.endpoint()).arg(files);
        command.arg(receiver.data()).arg(share(&wine));
        wine.run(&mut command);
    }
}

const SETTINGS: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";

fn registry(wine: &Wine, arguments: &[&str]) -> Command {
    let mut command = wine.command("reg.exe".as_ref());
    command
        .arg(arguments[0])
        .arg(SETTINGS)
        .args(&arguments[1..]);
    command
}

/// Calls `work` while the user's proxy is at this address.
pub fn with_proxy<T>(wine: &Wine, address: SocketAddr, work: impl FnOnce() -> T) -> T {
    let enable = ["add", "/v", "ProxyEnable", "/t", "REG_DWORD", "/f", "/d"];
    wine.run(registry(wine, &enable).arg("1"));
    let server = ["add", "/v", "ProxyServer", "/f", "/d", &address.to_string()];
    wine.run(&mut registry(wine, &server));
    let done = work();
    wine.run(registry(wine, &enable).arg("0"));
    done
}

#[test]
fn the_proxy_of_the_windows_user_is_used() {
    for wine in both() {
        let proxy = ScriptedServer::start(vec![Step::reply(200, &json("complete", 1000, "k"))]);
        let settings = ["client_set_retry_limit", "0"];
        let upload = || one(&wine).upload("http://far.invalid/upload", 1000, &settings);
        let report = with_proxy(&wine, proxy.addr(), upload);
        assert_eq!(report.number("status"), 0, "{report:?}");
        assert_eq!(proxy.requests()[0].head.target, "http://far.invalid/upload");
        let report = upload();
        assert_eq!(report.number("status"), 50, "no such host: {report:?}");
    }
}
