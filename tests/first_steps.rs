//! The first steps of a newcomer in each language, word for word as README.md, the guide and examples/README.md have them;
//! only addresses and directories are replaced. `make test-first-steps` has them taken in a fresh clone, where they build
//! all; without that they are sampled with the libraries of this build.
#![cfg(target_os = "linux")]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "first_steps/place.rs"]
mod place;

use std::path::Path;
use std::time::{Duration, Instant};

use harness::{has, root};
use place::{section, Place};
use resup_test_support::tools;

const README: &str = "README.md";
const START: &str = "docs/guide/src/start.md";
const EXAMPLES: &str = "examples/README.md";
const DELPHI: &str = "docs/guide/src/delphi.md";

fn readme() -> String {
    std::fs::read_to_string(root().join(README)).unwrap()
}

/// Says how long something took, for those who write the pages.
fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = act();
    println!("{what}: {:.0} s", began.elapsed().as_secs_f64());
    done
}

#[test]
fn five_minutes_in_c() {
    if !has("cc") {
        return;
    }
    let place = Place::new();
    place.write("hello.c", README, "Five minutes in C", "c");
    timed("README.md, C", || place.follow(README, "Five minutes in C"));
    assert!(readme().contains(
        "Then run `./hello`, interrupt it with Ctrl-C or `kill -9`, and run it again: it goes on."
    ));
    if place.fresh {
        let mut hello = place.shell("exec ./hello").spawn().unwrap();
        while place.partial() < 50_000_000 {
            std::thread::sleep(Duration::from_millis(10));
            assert!(hello.try_wait().unwrap().is_none(), "it is too fast");
        }
        hello.kill().unwrap();
        hello.wait().unwrap();
    }
    let said = place.run("./hello");
    let (_, rest) = said.split_once("all there; ").expect(&said);
    let there: u64 = rest.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(there > 0, place.fresh, "{said}");
    place.assert_stored("video.mp4");
}

#[test]
fn the_guides_five_minutes() {
    if !(has("cc") && has("c++")) {
        return;
    }
    let place = Place::new();
    place.make_video();
    place.follow(START, "Five minutes");
    // A port at which nobody listens: both programs say that they wait.
    let nobody = place::free_address();
    let waits = format!("timeout 2 ./hello http://{nobody}/upload video.mp4 2>&1 || true");
    for (name, heading, language) in [("hello.c", "C", "c"), ("hello.cpp", "C++", "cpp")] {
        place.write(name, START, heading, language);
        place.follow(START, heading);
        place.run("./hello http://127.0.0.1:8080/upload video.mp4");
        let said = place.run(&waits);
        assert!(said.contains("waiting to try again: "), "{name}: {said}");
    }
    place.assert_stored("video.mp4");
}

/// `make install`, and a project for which CMake builds the library.
#[test]
fn the_guides_ways_to_install() {
    let place = Place::new();
    if !place.fresh {
        tools::skip(
            "it takes a clone, as in make test-first-steps; tests/install.rs installs this build",
        );
        return;
    }
    place.make_video();
    place.write("hello.c", START, "C", "c");
    place.follow(START, "Five minutes");
    timed("make install", || place.follow(START, "Installed"));
    place.run("./hello http://127.0.0.1:8080/upload video.mp4");
    place.assert_stored("video.mp4");

    let heading = "Built by your CMake project";
    let project = section(START, heading, "cmake").swap_remove(0);
    let sources = place.dir.display().to_string();
    let project = project.replace("https://example.org/resup.git", &sources);
    let commit = place.run("git rev-parse HEAD");
    let project = project.replace("GIT_TAG main", &format!("GIT_TAG {}", commit.trim()));
    let dir = place.path("project");
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("CMakeLists.txt"), project).unwrap();
    place.write("project/hello.cpp", START, "C++", "cpp");
    let steps = section(START, heading, "sh").concat();
    let steps = format!("cd project\n{steps}");
    let said = timed("FetchContent", || place.follow_text(&steps));
    assert!(said.contains("Compiling resup "), "cargo is silent: {said}");
    let said = timed("FetchContent again", || place.follow_text(&steps));
    assert!(!said.contains("Compiling "), "it is built anew: {said}");
    place.run("project/build/hello http://127.0.0.1:8080/upload video.mp4");
}

/// The index of the examples, but for Java and Lazarus.
#[test]
fn the_examples_in_c_cpp_and_rust() {
    if !(tools::have(&["cc", "c++", "fltk-config"])) {
        return;
    }
    let place = Place::new();
    let first = section(EXAMPLES, "Examples", "sh").concat();
    place.follow_text(&first);
    for heading in ["Rust", "C and C++"] {
        let steps = section(EXAMPLES, heading, "sh").concat();
        place.follow_text(&format!("{}\n{steps}", url()));
    }
    place.assert_stored("video.mp4");
    place.assert_stored("README.md");
}

/// The lines in the comments at the beginnings of the sources.
#[test]
fn the_examples_build_lines_can_be_pasted() {
    if !(tools::have(&["cc", "c++", "fltk-config"])) {
        return;
    }
    let place = Place::new();
    place.follow(START, "Five minutes");
    let mut built = 0;
    for dir in ["examples/c", "examples/cpp"] {
        for entry in std::fs::read_dir(place.path(dir)).unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            let comment = text.split("*/").next().unwrap();
            let build = comment.lines().filter_map(|it| it.strip_prefix(" *     c"));
            for line in build {
                place.run(&format!("c{line}"));
                built += 1;
            }
        }
    }
    assert_eq!(built, 5);
}

/// Returns the line of the index of examples that says where the server is.
fn url() -> String {
    let block = section(EXAMPLES, "Examples", "sh").swap_remove(1);
    block.lines().next().unwrap().to_owned()
}

#[test]
fn java() {
    if !has("javac") {
        return;
    }
    let place = Place::new();
    if !place.fresh {
        place.make_jar();
    }
    place.make_video();
    place.write("Hello.java", README, "Java", "java");
    place.follow(START, "Five minutes");
    let said = timed("README.md, Java", || place.follow(README, "Java"));
    let there = "complete; 0 bytes were there before";
    assert!(said.contains(there), "{said}");
    place.assert_stored("video.mp4");
    let steps = section(EXAMPLES, "Java", "sh").concat();
    place.follow_text(&format!("{}\n{steps}", url()));
    place.assert_stored("README.md");
}

/// The jar in Maven's local repository, as a project finds it.
#[test]
fn java_by_maven() {
    let place = Place::new();
    if !place.fresh {
        tools::skip("it takes Maven and a clone, as in make test-first-steps");
        return;
    }
    let promise = "`make java-install` puts the same jar into Maven's local repository";
    assert!(readme().contains(promise));
    timed("make java-install", || place.run("make java-install"));
    let dependency = section(README, "Java", "xml").swap_remove(0);
    let project = place.path("maven-project");
    let sources = project.join("src/main/java");
    std::fs::create_dir_all(&sources).unwrap();
    let pom = format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId>\
         <version>1</version>\
         <properties><maven.compiler.release>8</maven.compiler.release></properties>\
         <dependencies>{dependency}</dependencies></project>"
    );
    std::fs::write(project.join("pom.xml"), pom).unwrap();
    place.write(
        "maven-project/src/main/java/Hello.java",
        README,
        "Java",
        "java",
    );
    let compiler = "org.apache.maven.plugins:maven-compiler-plugin:3.14.1";
    place.run(&format!("mvn -q -B -f maven-project {compiler}:compile"));
    assert!(project.join("target/classes/Hello.class").exists());
}

#[test]
fn delphi_and_free_pascal() {
    if !has("fpc") {
        return;
    }
    let place = Place::new();
    place.make_video();
    let heading = "Delphi and Free Pascal";
    place.write("hello.dpr", README, heading, "pascal");
    place.follow(START, "Five minutes");
    let said = place.follow(README, heading);
    assert!(
        said.contains("complete; the server had 0 bytes already"),
        "{said}"
    );
    place.assert_stored("video.mp4");

    // The first mistake is told in words.
    std::fs::remove_file(place.path("video.mp4")).unwrap();
    let output = place.try_run("target/release/hello");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("video.mp4\" does not exist") && !said.contains('$'),
        "{said}"
    );

    let same = |page, heading| section(page, heading, "pascal").swap_remove(0);
    assert_eq!(same(README, heading), same(DELPHI, "Ten lines"));
    place.make_video();
    let steps = section(EXAMPLES, heading, "sh");
    place.follow_text(&format!("{}\n{}", url(), steps[0]));
    place.assert_stored("README.md");
    if has("lazbuild") {
        place.follow_text(&steps[1]);
        place.follow(DELPHI, "Ten lines");
        assert!(place.path("examples/delphi/window/window").exists());
        assert_ignored(&place, &["bindings", "examples"]);
    }
}

/// Checks that git is not told of what tools have left below these directories.
#[track_caller]
fn assert_ignored(place: &Place, dirs: &[&str]) {
    if !place.path(".git").exists() {
        return;
    }
    let said = place.run(&format!("git status --porcelain -- {}", dirs.join(" ")));
    assert_eq!(said, "", "{}", Path::new(&place.dir).display());
}
