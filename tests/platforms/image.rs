//! The libraries and programs as files.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::harness::shared_library;
use super::platform::{all, Platform};

/// The newest version of glibc that a library for it may need.
const GLIBC: (u32, u32) = (2, 17);

/// What a library may need of others: the C library, which has had several parts.
const OF_GLIBC: [&str; 9] = [
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
];
/// musl's loader takes this name for itself.
const OF_MUSL: [&str; 1] = ["libc.so"];

/// 2.5 MiB.
const MAX_SIZE: u64 = 2_621_440;

const LIBRARIES: [&str; 2] = ["libresup.so", "libresup_jni.so"];
const PROGRAMS: [&str; 2] = ["resup", "resup-receiver"];

/// Runs readelf or nm, which know every machine's files.
fn read(tool: &str, arguments: &[&str], file: &Path) -> String {
    let output = Command::new(tool).args(arguments).arg(file).output();
    let output = output.unwrap_or_else(|error| panic!("{tool}: {error}"));
    assert!(output.status.success(), "{tool} {}", file.display());
    String::from_utf8(output.stdout).unwrap()
}

/// Returns what stands in brackets in the lines of the dynamic section with a tag.
fn dynamic(file: &Path, tag: &str) -> Vec<String> {
    let text = read("readelf", &["-d", "-W"], file);
    let lines = text.lines().filter(|line| line.contains(tag));
    let names = lines.filter_map(|line| Some(line.split_once('[')?.1.split_once(']')?.0));
    names.map(str::to_owned).collect()
}

/// Returns the versions of glibc that a file needs, like `(2, 17)`.
fn glibc_versions(file: &Path) -> BTreeSet<(u32, u32)> {
    let text = read("readelf", &["-V", "-W"], file);
    let names = text.split("Name: GLIBC_").skip(1);
    let versions = names.map(|rest| {
        let version = rest.split_whitespace().next().unwrap();
        let mut numbers = version.split('.').map(|it| it.parse().expect(version));
        (numbers.next().unwrap(), numbers.next().unwrap_or(0))
    });
    versions.collect()
}

/// Says which version a file needs that is newer than promised.
fn too_new(file: &Path) -> Option<(u32, u32)> {
    let newest = *glibc_versions(file).last()?;
    (newest > GLIBC).then_some(newest)
}

/// Returns the names that a library exports, with their versions.
fn exports(file: &Path) -> BTreeSet<String> {
    let text = read(
        "nm",
        &["-D", "--defined-only", "--with-symbol-versions"],
        file,
    );
    let names = text.lines().filter_map(|line| line.split(' ').nth(2));
    names.map(str::to_owned).collect()
}

fn each(names: &[&str], check: impl Fn(&Platform, &Path)) {
    for platform in all() {
        for name in names {
            let file = platform.artifact(name);
            println!("{}", file.display());
            check(&platform, &file);
        }
    }
}

#[test]
fn the_libraries_need_no_newer_glibc_than_promised() {
    each(&LIBRARIES, |platform, file| {
        assert_eq!(too_new(file), None, "{}", file.display());
        let any = !glibc_versions(file).is_empty();
        assert_eq!(any, platform.has_glibc(), "{}", file.display());
    });
}

#[test]
fn a_library_that_needs_a_newer_glibc_is_found() {
    let newest = too_new(&shared_library());
    assert!(
        newest > Some(GLIBC),
        "what is built for this system needs only {newest:?}"
    );
}

#[test]
fn the_libraries_need_the_c_library_only() {
    each(&LIBRARIES, |platform, file| {
        let needed = dynamic(file, "(NEEDED)");
        assert!(!needed.is_empty(), "{}", file.display());
        let known: &[&str] = if platform.has_glibc() {
            &OF_GLIBC
        } else {
            &OF_MUSL
        };
        for name in needed {
            assert!(known.contains(&name.as_str()), "{}: {name}", file.display());
        }
    });
}

#[test]
fn the_library_exports_what_the_list_says_with_its_version() {
    let list = include_str!("../exports.txt").lines();
    let list: BTreeSet<_> = list.map(|name| format!("{name}@@RESUP_0.1")).collect();
    each(&["libresup.so"], |_, file| {
        assert_eq!(exports(file), list, "{}", file.display());
        assert_eq!(dynamic(file, "(SONAME)"), ["libresup.so.0.1"]);
    });
}

#[test]
fn the_library_for_java_exports_its_own_names_only() {
    each(&["libresup_jni.so"], |_, file| {
        let names = exports(file);
        assert!(names.len() > 50, "{names:?}");
        let foreign: Vec<_> = names
            .iter()
            .filter(|it| !it.starts_with("Java_io_resup_"))
            .collect();
        assert!(foreign.is_empty(), "{}: {foreign:?}", file.display());
    });
}

#[test]
fn the_libraries_stay_loaded() {
    each(&LIBRARIES, |_, file| {
        let text = read("readelf", &["-d", "-W"], file);
        assert!(text.contains("NODELETE"), "{}: {text}", file.display());
    });
}

#[test]
fn the_static_library_exports_our_names_only() {
    let list: Vec<_> = include_str!("../exports.txt").lines().collect();
    each(&["libresup.a"], |_, file| {
        let text = read(
            "nm",
            &["--extern-only", "--defined-only", "--format=posix"],
            file,
        );
        let lines = text
            .lines()
            .filter(|line| !line.ends_with(':') && !line.is_empty());
        let mut names: Vec<_> = lines.map(|line| line.split(' ').next().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, list, "{}", file.display());
    });
}

#[test]
fn the_library_is_small() {
    each(&["libresup.so"], |_, file| {
        let size = std::fs::metadata(file).unwrap().len();
        println!("{size} bytes");
        assert!(size <= MAX_SIZE, "{}: {size} bytes", file.display());
    });
}

#[test]
fn the_programs_need_nothing() {
    for platform in all().filter(|platform| !platform.has_glibc()) {
        for name in PROGRAMS {
            let file = platform.artifact(name);
            assert_eq!(dynamic(&file, "(NEEDED)"), [""; 0], "{}", file.display());
            let segments = read("readelf", &["-l", "-W"], &file);
            assert!(!segments.contains("INTERP"), "{segments}");
        }
    }
}

#[test]
fn each_is_for_its_machine() {
    let check = |platform: &Platform, file: &Path| {
        let head = read("readelf", &["-h", "-W"], file);
        let name = match platform.machine() {
            "i686" => "Intel 80386",
            "x86_64" => "X86-64",
            _ => "AArch64",
        };
        assert!(head.contains(name), "{}: {head}", file.display());
    };
    each(&LIBRARIES, check);
    for platform in all().filter(|platform| !platform.has_glibc()) {
        for name in PROGRAMS {
            check(&platform, &platform.artifact(name));
        }
    }
}
