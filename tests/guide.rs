//! The code in the guide and in the README compiles without a warning. (tests/first_steps.rs takes the first steps.)
#![cfg(target_os = "linux")]

#[path = "dialects/form.rs"]
#[allow(dead_code)]
mod form;
#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[path = "dialects/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "common/steps.rs"]
mod steps;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{has, root, Bench};
use resup_test_support::guide::{blocks, Block};
use resup_test_support::receiver::Receiver;
use resup_test_support::tools;

/// The guide, and its translation.
const BOOKS: [&str; 2] = ["docs/guide/src", "docs/guide/zh-CN/src"];

fn pages() -> Vec<PathBuf> {
    let chapters = BOOKS.map(|book| std::fs::read_dir(root().join(book)).unwrap());
    let chapters = chapters.into_iter().flatten();
    let mut pages: Vec<_> = chapters.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages.extend(["README.md", "README.zh-CN.md"].map(|name| root().join(name)));
    pages
}

/// The same in Pascal: a program, declarations, or statements.
fn whole_pascal(text: &str) -> String {
    const USES: &str = "uses Classes, SysUtils, Resup.Api, Resup.Types, Resup.Client, Resup.Upload, Resup.Uploader;\n";
    if text.contains("\nend.") {
        return text.to_owned();
    }
    match text.starts_with("type\n") {
        true => format!("unit block;\ninterface\n{USES}{}begin\nend.\n", {
            let (declared, rest) = text.split_once("end;\n").unwrap();
            format!("{declared}end;\nimplementation\n{rest}")
        }),
        false => format!(
            "program block;\n{USES}\
             procedure Piece(Client: TResupClient; Upload: TResupUpload; Uploader: TResumableUploader);\n\
             begin\n{text}end;\nbegin\n  Piece(nil, nil, nil);\nend.\n"
        ),
    }
}

/// A whole program of what may be a piece of one.
fn whole(block: &Block) -> String {
    let (text, cpp) = (&block.text, block.language == "cpp");
    if block.language == "pascal" {
        return whole_pascal(text);
    }
    if text.contains("main(") {
        return text.clone();
    }
    // In a block of its own, where it may have a client of its own.
    match cpp {
        true => format!(
            "#include <resup/resup.hpp>\n#include <iostream>\n\
             void piece(resup::Client &client, resup::Upload &upload);\n\
             void piece(resup::Client &client, resup::Upload &upload) {{\n\
             (void)client; (void)upload;\n{{\n{text}}}\n}}\n"
        ),
        false => format!(
            "#include <resup.h>\n#include <stdio.h>\n\
             void piece(resup_client *client, resup_upload *upload);\n\
             void piece(resup_client *client, resup_upload *upload) {{\n\
             (void)client; (void)upload;\n{{\n{text}}}\n}}\n"
        ),
    }
}

/// Has a block compiled; what the compiler says against it.
fn complaint(block: &Block) -> Option<String> {
    let (compiler, standard, suffix) = match block.language.as_str() {
        "c" => ("cc", "-std=c99", "c"),
        _ => ("c++", "-std=c++17", "cpp"),
    };
    if !has(compiler) {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("block").with_extension(suffix);
    std::fs::write(&source, whole(block)).unwrap();
    let output = Command::new(compiler)
        .args([
            standard,
            "-fsyntax-only",
            "-pedantic",
            "-Wall",
            "-Wextra",
            "-Werror",
        ])
        .arg("-I")
        .arg(root().join("include"))
        .arg("-I")
        .arg(root().join("bindings/cpp/include"))
        .arg(&source)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| format!("{}:\n{text}", block.place))
}

/// Where Lazarus has its units.
const LCL: &str = "/usr/lib/lazarus/default/lcl/units/x86_64-linux";

/// Whether Free Pascal is there, with the units that blocks use.
fn has_pascal() -> bool {
    has("fpc") && tools::has_file(&Path::new(LCL).join("extctrls.ppu"))
}

/// Has a block in Pascal compiled, and not linked.
fn pascal_complaint(block: &Block) -> Option<String> {
    if !has_pascal() {
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let source = dir.path().join("block.pas");
    std::fs::write(&source, whole(block)).unwrap();
    let units = [
        root().join("bindings/delphi/src"),
        LCL.into(),
        "/usr/lib/lazarus/default/components/lazutils/lib/x86_64-linux".into(),
    ];
    let output = Command::new("fpc")
        // Where it leaves what it would link.
        .current_dir(dir.path())
        .args(["-Mdelphi", "-Cn", "-v0ew"])
        .args(units.map(|dir| format!("-Fu{}", dir.display())))
        .arg(format!("-FU{}", dir.path().display()))
        .arg(&source)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let clean = output.status.success() && !text.contains("Warning");
    (!clean).then(|| format!("{}:\n{text}", block.place))
}

/// Has the shell read a block without running it.
fn unreadable(block: &Block) -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("script");
    // Options in brackets and the like stand for themselves there.
    std::fs::write(&script, &block.text).unwrap();
    let output = Command::new("sh").arg("-n").arg(&script).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (!output.status.success()).then(|| format!("{}:\n{text}", block.place))
}

#[test]
fn every_block_is_what_it_says() {
    // The translations have the same code: tests/translations.rs.
    let pages = pages().into_iter();
    let pages = pages.filter(|page| !page.to_string_lossy().contains("zh-CN"));
    let blocks: Vec<_> = pages.flat_map(|page| blocks(&page)).collect();
    let mut counted = std::collections::BTreeMap::new();
    let mut wrong = Vec::new();
    for block in &blocks {
        *counted.entry(block.language.as_str()).or_insert(0) += 1;
        wrong.extend(match block.language.as_str() {
            "c" | "cpp" => complaint(block),
            "pascal" => pascal_complaint(block),
            "sh" => unreadable(block),
            "json" => serde_json::from_str::<serde_json::Value>(&block.text)
                .err()
                .map(|e| format!("{}: {e}", block.place)),
            // tests/install and tests/first_steps.rs build projects with the same lines.
            "cmake" => (![
                "find_package(resup 0.1 CONFIG REQUIRED)",
                "FetchContent_MakeAvailable(resup)",
            ]
            .iter()
            .any(|line| block.text.contains(line)))
            .then(|| block.place.clone()),
            // The Java binding's own tests compile it.
            "java" => None,
            // tools/receiver/tests/clients makes the same calls.
            "js" | "python" => None,
            // What the command prints, as in tools/cli/tests/dialect_check.rs.
            "text" => None,
            "xml" | "kotlin" => (!block.text.contains(env!("CARGO_PKG_VERSION")))
                .then(|| format!("{}: another version", block.place)),
            other => Some(format!("{}: nothing checks \"{other}\"", block.place)),
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        counted["c"] > 10 && counted["cpp"] > 3 && counted["pascal"] > 6,
        "{counted:?}"
    );
}

#[test]
fn the_steps_for_the_receiver_bring_files_there() {
    let receiver = Receiver::start();
    let heading = "… resup-receiver, or one of my own for forms";
    if let Some(steps) = steps::take("my-server.md", heading, &receiver.endpoint()) {
        let stored = std::fs::read_dir(receiver.data().join("files")).unwrap();
        steps.check(&stored.map(|it| it.unwrap().path()).collect::<Vec<_>>());
    }
}

/// The sections about widgets, and the servers that they are about.
const WIDGETS: [(&str, &str); 11] = [
    ("My server is for an upload widget", "mine"),
    ("resumable.js", "resumable.js"),
    ("flow.js, ng-flow", "flow.js"),
    ("simple-uploader.js, vue-simple-uploader", "simple-uploader"),
    ("WebUploader", "webuploader"),
    ("Plupload", "plupload"),
    ("Fine Uploader", "fineuploader"),
    ("Dropzone", "dropzone"),
    ("jQuery File Upload", "jquery-file-upload"),
    ("ng-file-upload", "ng-file-upload"),
    ("nginx-upload-module", "nginx-upload-module"),
];

#[test]
fn the_steps_for_each_widget_bring_files_to_its_server() {
    for (heading, name) in WIDGETS {
        let server = server::FormServer::right(name);
        let Some(steps) = steps::take("widgets.md", heading, &server.endpoint()) else {
            return;
        };
        let sent = steps.files.map(|path| std::fs::read(path).unwrap());
        assert!(server.complete() == sent, "{heading}");
    }
}

#[test]
fn every_section_about_a_server_has_steps_that_a_test_takes() {
    let sources = [
        "guide.rs",
        "plain_servers.rs",
        "tus_servers.rs",
        "dav_servers.rs",
        "session_servers.rs",
    ];
    let more = ["plain_servers/old_page.rs", "dialect_servers/old_page.rs"];
    let tests: String = sources
        .iter()
        .chain(&more)
        .map(|name| std::fs::read_to_string(root().join("tests").join(name)).unwrap())
        .collect();
    for chapter in ["my-server.md", "widgets.md", "old-pages.md"] {
        let mut headings = std::collections::BTreeMap::new();
        for block in blocks(&root().join("docs/guide/src").join(chapter)) {
            let of_heading: &mut Vec<String> = headings.entry(block.heading).or_default();
            of_heading.push(block.language);
        }
        for (heading, languages) in headings {
            let has = |wanted: &str| languages.iter().any(|it| it == wanted);
            assert!(has("sh") && has("c"), "{chapter}, {heading}: {languages:?}");
            assert!(
                tests.contains(&format!("\"{heading}\"")),
                "no test takes the steps of {chapter}, {heading}"
            );
        }
    }
}

/// The program of README.md, with an address where nobody listens in place of the receiver's.
#[test]
fn the_readmes_program_says_why_it_waits() {
    if !has("cc") {
        return;
    }
    let bench = Bench::new();
    let readme = blocks(&root().join("README.md"));
    let program = readme.iter().find(|block| block.text.contains("int main"));
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = free.local_addr().unwrap().to_string();
    drop(free);
    let text = program.unwrap().text.replace("127.0.0.1:8080", &nobody);
    std::fs::write(bench.path("hello.c"), text).unwrap();
    std::fs::write(bench.path("video.mp4"), "video").unwrap();
    let source = bench.path("hello.c");
    let program = bench.build("hello", &[source.to_str().unwrap()], &[]);
    let mut command = Command::new("timeout");
    command.arg("2").arg(program).current_dir(bench.path(""));
    let told = command.output().unwrap();
    let told = String::from_utf8_lossy(&told.stderr);
    let due = format!("no connection to {nobody}");
    assert!(
        told.contains(&due) && told.contains("; trying again"),
        "{told}"
    );
}

#[test]
fn the_contents_name_every_chapter() {
    for dir in BOOKS.map(|book| root().join(book)) {
        let contents = std::fs::read_to_string(dir.join("SUMMARY.md")).unwrap();
        for page in std::fs::read_dir(&dir).unwrap() {
            let name = page.unwrap().file_name().into_string().unwrap();
            assert!(
                name == "SUMMARY.md" || contents.contains(&format!("({name})")),
                "{}: {name}",
                dir.display()
            );
        }
    }
}

#[test]
fn functions_and_constants_that_are_named_exist() {
    let header = std::fs::read_to_string(root().join("include/resup.h")).unwrap();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        let words = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric());
        let ours = words.filter(|word| {
            [
                "resup_client_",
                "resup_upload_",
                "RESUP_E_",
                "RESUP_STATE_",
                "RESUP_TRUST_",
            ]
            .iter()
            .any(|start| word.starts_with(start) && word.len() > start.len())
        });
        for name in ours {
            assert!(header.contains(name), "{}: {name}", page.display());
        }
    }
}
