//! What goes to Maven Central, made as a release is, with a key of this test: it has what Central requires
//! (central.sonatype.org/publish/requirements).

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{root, words, Bench};
use crate::PLATFORMS;

const NAME: &str = concat!("resup-", env!("CARGO_PKG_VERSION"));

/// Makes a copy of the binding with what is built, and a public place in the POM in place of the one that cannot be.
fn project(bench: &Bench) -> PathBuf {
    let dir = bench.dir("java");
    let from = root().join("bindings/java");
    std::fs::create_dir(dir.join("target")).unwrap();
    for name in ["src", "target/natives", "target/licences"] {
        let mut cp = Command::new("cp");
        cp.arg("-R").arg(from.join(name)).arg(dir.join(name));
        words(&mut cp);
    }
    let pom = std::fs::read_to_string(from.join("pom.xml")).unwrap();
    std::fs::write(
        dir.join("pom.xml"),
        pom.replace("resup.invalid", "resup.example"),
    )
    .unwrap();
    dir
}

/// Makes a key that signs without a passphrase, in a directory of its own.
fn key(bench: &Bench) -> PathBuf {
    let home = bench.dir("gnupg");
    words(Command::new("chmod").arg("700").arg(&home));
    words(gpg(&home).args([
        "--batch",
        "--passphrase",
        "",
        "--quick-generate-key",
        "resup test <resup@localhost>",
    ]));
    home
}

fn gpg(home: &Path) -> Command {
    let mut gpg = Command::new("gpg");
    gpg.env("GNUPGHOME", home).arg("--quiet");
    gpg
}

fn maven(project: &Path, profiles: &str, goal: &str) -> Command {
    let mut mvn = Command::new("mvn");
    mvn.args(["-q", "-B", "-f"]).arg(project.join("pom.xml"));
    mvn.args([profiles, goal, "-Dmaven.test.skip"]);
    mvn
}

/// Checks what Central checks in a POM.
fn check_pom(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let text_at = |path: &str| {
        path.split('/')
            .try_fold(document.root_element(), |node, name| {
                node.children()
                    .find(|it| it.has_tag_name(("http://maven.apache.org/POM/4.0.0", name)))
            })
            .and_then(|node| node.text())
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    for required in [
        "modelVersion",
        "groupId",
        "artifactId",
        "version",
        "name",
        "description",
        "url",
        "licenses/license/name",
        "licenses/license/url",
        "developers/developer/name",
        "developers/developer/url",
        "scm/connection",
        "scm/developerConnection",
        "scm/url",
    ] {
        let text = text_at(required);
        assert!(text.is_some(), "the POM has no {required}");
        let plain = !text.unwrap().contains("${");
        assert!(plain, "{required} is {text:?}");
    }
    assert_eq!(text_at("version"), Some(env!("CARGO_PKG_VERSION")));
}

/// Checks a sum that stands beside a file.
fn check_sum(file: &Path, program: &str, extension: &str) {
    let beside = PathBuf::from(format!("{}.{extension}", file.display()));
    let kept = std::fs::read_to_string(&beside);
    let kept = kept.unwrap_or_else(|e| panic!("{}: {e}", beside.display()));
    assert_eq!(words(Command::new(program).arg(file))[0], kept.trim());
}

#[test]
fn a_release_is_refused_before_the_project_has_a_public_place() {
    let mut mvn = maven(&root().join("bindings/java"), "-Prelease", "validate");
    let output = mvn.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("put its public address in place of https://resup.invalid"),
        "{said}"
    );
}

#[test]
fn a_release_has_what_maven_central_requires() {
    let bench = Bench::new();
    let (project, home) = (project(&bench), key(&bench));
    // The plugin asks for a name and a password, which nobody gets here.
    let settings = bench.path("settings.xml");
    let server = "<server><id>central</id><username>x</username><password>x</password></server>";
    let text = format!("<settings><servers>{server}</servers></settings>");
    std::fs::write(&settings, text).unwrap();
    let mut mvn = maven(&project, "-Pplatforms,release", "deploy");
    mvn.env("GNUPGHOME", &home).arg("-DskipUpload");
    mvn.arg("--global-settings").arg(settings);
    let output = mvn.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");

    let bundle = project.join("target/central-publishing/central-bundle.zip");
    let dir = bench.dir("bundle");
    words(
        Command::new("unzip")
            .arg("-q")
            .arg(bundle)
            .arg("-d")
            .arg(&dir),
    );
    let place = dir.join("io/resup/resup").join(env!("CARGO_PKG_VERSION"));
    let own = PLATFORMS.iter().map(|(name, ..)| format!("-{name}.jar"));
    let ends = ["", "-sources.jar", "-javadoc.jar"].map(str::to_owned);
    let ends = ends.into_iter().chain(own);
    let mut files: Vec<_> = ends
        .map(|end| format!("{NAME}{}", if end.is_empty() { ".jar" } else { &end }))
        .collect();
    files.push(format!("{NAME}.pom"));
    for name in &files {
        let file = place.join(name);
        check_sum(&file, "md5sum", "md5");
        check_sum(&file, "sha1sum", "sha1");
        let signature = place.join(format!("{name}.asc"));
        words(gpg(&home).arg("--verify").arg(&signature).arg(&file));
    }
    // Nothing else is in it but these, their signatures and sums.
    for entry in std::fs::read_dir(&place).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = files.iter().any(|it| name.starts_with(it.as_str()));
        assert!(known, "{name}");
    }
    check_pom(&place.join(format!("{NAME}.pom")));
    let listed = |jar: &str| words(Command::new("jar").arg("tf").arg(place.join(jar)));
    let sources = listed(&format!("{NAME}-sources.jar"));
    assert!(sources
        .iter()
        .any(|it| it == "io/resup/ResumableUpload.java"));
    let javadoc = listed(&format!("{NAME}-javadoc.jar"));
    assert!(javadoc
        .iter()
        .any(|it| it == "io/resup/ResumableUpload.html"));
}
