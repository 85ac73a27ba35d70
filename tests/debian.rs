//! The Debian packages that `make deb` makes, installed and used as docs/OPERATION.md says.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

#[allow(dead_code)]
#[path = "install/project.rs"]
mod project;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use harness::{has, library_dir, root};
use project::{build_command, compiles_and_uploads, files, run};
use resup_test_support::tls::Authority;
use resup_test_support::tools;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Makes the packages of this machine's architecture from what the tests have built, once for all, and returns their paths.
fn packages() -> &'static [PathBuf] {
    static PACKAGES: OnceLock<(tempfile::TempDir, Vec<PathBuf>)> = OnceLock::new();
    let (_, packages) = PACKAGES.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let packages = make_packages(dir.path());
        (dir, packages)
    });
    packages
}

fn make_packages(dir: &Path) -> Vec<PathBuf> {
    build_command();
    let mut make = Command::new("make");
    make.current_dir(root()).args(["--silent", "deb"]);
    make.env("DPKG_DEB_COMPRESSOR_LEVEL", "0");
    make.arg(format!("DIST={}", dir.display()));
    make.arg(format!("EXTRAS={}", dir.join("deb/extras").display()));
    run(make.arg(format!("BUILT={}", library_dir().display())));
    let names = ["libresup-dev", "libresup0.1", "resup", "resup-receiver"];
    let packages = files(dir);
    assert_eq!(packages.len(), names.len(), "{packages:?}");
    for package in &packages {
        let (name, rest) = package.split_once('_').unwrap();
        assert!(names.contains(&name), "{package}");
        assert!(rest.starts_with(&format!("{VERSION}-1_")), "{package}");
    }
    packages.iter().map(|name| dir.join(name)).collect()
}

/// Finds a package by its name.
fn package<'a>(packages: &'a [PathBuf], name: &str) -> &'a Path {
    let begin = format!("{name}_");
    let is_it = |path: &&PathBuf| {
        path.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(&begin)
    };
    packages.iter().find(is_it).unwrap()
}

/// Makes a package of a newer version with the same content.
fn repack(package: &Path, to: &Path) {
    let dir = tempfile::tempdir().unwrap();
    let mut unpack = Command::new("dpkg-deb");
    run(unpack.arg("-R").arg(package).arg(dir.path()));
    let control = dir.path().join("DEBIAN/control");
    let text = fs::read_to_string(&control).unwrap();
    let old = format!("\nVersion: {VERSION}-1\n");
    assert!(text.contains(&old), "{text}");
    fs::write(&control, text.replace(&old, "\nVersion: 0.1.99-1\n")).unwrap();
    let mut pack = Command::new("dpkg-deb");
    pack.env("DPKG_DEB_COMPRESSOR_LEVEL", "0");
    pack.args(["--root-owner-group", "-b"]).arg(dir.path());
    run(pack.arg(to));
}

fn can_install() -> bool {
    if !(has("apt-get") && has("dh_installdeb") && has("lintian")) {
        return false;
    }
    let is_root = run(Command::new("id").arg("-u")).trim() == "0";
    if !is_root {
        tools::skip("only root may install packages");
    }
    is_root
}

#[test]
fn the_packages_are_right_and_their_library_can_be_used() {
    if !can_install() {
        return;
    }
    let packages = packages();
    // Not the -dev package: lintian would take long for the many sections of the static library.
    let mut lintian = Command::new("lintian");
    lintian.args(["--allow-root", "--fail-on", "error,warning"]);
    // They are not uploaded to Debian.
    lintian.args(["--suppress-tags", "initial-upload-closes-no-bugs"]);
    let others = packages
        .iter()
        .filter(|file| !file.to_string_lossy().contains("-dev_"));
    run(lintian.args(others));

    let system = tempfile::tempdir().unwrap();
    for package in packages {
        let mut extract = Command::new("dpkg-deb");
        run(extract.arg("-x").arg(package).arg(system.path()));
    }
    let version = run(Command::new(system.path().join("usr/bin/resup")).arg("--version"));
    assert!(version.contains(VERSION), "{version}");
    let multiarch = run(Command::new("dpkg-architecture").arg("-qDEB_HOST_MULTIARCH"));
    let library = system.path().join("usr/lib").join(multiarch.trim());
    compiles_and_uploads(
        &library.join("pkgconfig"),
        &[("PKG_CONFIG_SYSROOT_DIR", system.path())],
    );
    let mut control = Command::new("dpkg-deb");
    control.arg("-I").arg(package(packages, "libresup0.1"));
    let triggers = run(control.arg("triggers"));
    assert!(
        triggers.contains("\nactivate-noawait ldconfig\n"),
        "{triggers}"
    );
    let mut control = Command::new("dpkg-deb");
    control.arg("-I").arg(package(packages, "resup-receiver"));
    let settings = run(control.arg("conffiles"));
    assert_eq!(settings, "/etc/resup-receiver/config.toml\n");
    let mut field = Command::new("dpkg-deb");
    field.arg("-f").arg(package(packages, "resup"));
    let depends = run(field.arg("Depends"));
    assert!(depends.contains("libc6 (>= "), "{depends}");
}

/// The whole of it in a system that starts: installation, users, TLS, backup, upgrade, removal.
#[test]
fn a_system_administrator_gets_on_by_the_document() {
    if !(can_install() && has("debootstrap") && has("systemd-nspawn")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let steps = dir.path().join("steps");
    let [older, newer] = ["older", "newer"].map(|place| steps.join(place));
    fs::create_dir_all(&older).unwrap();
    let packages = packages();
    for name in ["libresup0.1", "resup", "resup-receiver"] {
        let package = package(packages, name);
        fs::copy(package, older.join(package.file_name().unwrap())).unwrap();
    }
    fs::create_dir(&newer).unwrap();
    repack(package(packages, "resup-receiver"), &newer);
    for document in ["docs/OPERATION.md", "tests/debian/steps.sh"] {
        let name = Path::new(document).file_name().unwrap();
        fs::copy(root().join(document), steps.join(name)).unwrap();
    }
    let authority = Authority::new();
    let certificate = authority.certify_named(&["example.org"]);
    let (pem, key) = certificate.write(&steps, "certificate");
    fs::rename(pem, steps.join("fullchain.pem")).unwrap();
    fs::rename(key, steps.join("key.pem")).unwrap();
    fs::write(steps.join("ca.pem"), authority.pem()).unwrap();
    let target = library_dir().parent().unwrap();
    let mut system = Command::new(root().join("tests/debian/root.sh"));
    system.arg(target.join("debian-root")).arg(&steps);
    let said = run(&mut system);
    assert!(said.ends_with("\nall is as documented\n"), "{said}");
}
