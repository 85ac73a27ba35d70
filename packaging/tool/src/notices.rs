//! The notices of the third parties whose code is in the library and the programs: the licence texts in the package of
//! each crate, and those of the scripts in the receiver's page.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::at;

/// The packages that are shipped.
const PRODUCTS: [&str; 4] = ["resup", "resup-cli", "resup-jni", "resup-receiver"];

/// The scripts of others in the receiver's page, and their licences.
const SCRIPTS: [(&str, &str, &str); 2] = [
    (
        "spark-md5 3.0.2",
        "WTFPL OR MIT",
        include_str!("../../../tools/receiver/page/assets/vendor/spark-md5.LICENSE"),
    ),
    (
        "hash-wasm 4.13.0",
        "MIT",
        include_str!("../../../tools/receiver/page/assets/vendor/hash-wasm.LICENSE"),
    ),
];

/// The beginnings of the names of files that have to be shipped.
const TEXTS: [&str; 6] = [
    "license",
    "licence",
    "copying",
    "copyright",
    "notice",
    "unlicense",
];

/// The text for packages that have none and may be used under this licence, which names no author.
const APACHE: &str = include_str!("../../../LICENSE-APACHE");

/// The compiler's file about its standard library, which is in everything that it builds.
const STANDARD: &str = "COPYRIGHT-library.html";

const HEAD: &str = "\
resup contains code of others. Each is listed with its licence, and the texts of the licences follow.
Of licences joined by OR the one that suits may be chosen. Rust's standard library, which is in it as
well, is MIT OR Apache-2.0; what it contains of others is in COPYRIGHT-library.html beside this file.
";

/// A package of third parties.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package {
    name: String,
    licence: String,
    directory: PathBuf,
}

/// Writes THIRD-PARTY.txt and, beside it, the standard library's file, for what is built for these targets, or without any
/// for this machine.
pub fn write(directory: &Path, targets: &[&str]) -> Result<(), String> {
    at(directory, std::fs::create_dir_all(directory))?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = output(Command::new(&rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let own_target = [host.ok_or("rustc -vV prints no host")?];
    let targets = if targets.is_empty() {
        &own_target
    } else {
        targets
    };
    let root = output(Command::new(&rustc).args(["--print", "sysroot"]))?;
    let standard = Path::new(root.trim()).join("share/doc/rust").join(STANDARD);
    let copied = std::fs::copy(&standard, directory.join(STANDARD));
    at(&standard, copied)?;
    let file = directory.join("THIRD-PARTY.txt");
    let mut all = BTreeSet::new();
    for target in targets {
        all.extend(packages(target)?);
    }
    at(&file, std::fs::write(&file, notices(&all)?))
}

fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let (text, errors) = (output.stdout, String::from_utf8_lossy(&output.stderr));
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&text).into_owned()),
        false => Err(format!("{command:?}: {errors}")),
    }
}

/// Finds the packages whose code is in the products.
fn packages(target: &str) -> Result<BTreeSet<Package>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--format-version", "1", "--locked"]);
    let text = output(metadata.args(["--filter-platform", target]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let nodes = by_id(&metadata["resolve"]["nodes"]);
    let all = by_id(&metadata["packages"]);
    let is_product = |package: &Value| PRODUCTS.iter().any(|name| package["name"] == *name);
    let products = all.iter().filter(|(_, package)| is_product(package));
    let mut todo: Vec<&str> = products.map(|(id, _)| *id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if seen.insert(id) {
            let needed = items(&nodes[id]["deps"]).filter(|needed| is_linked(needed));
            todo.extend(needed.filter_map(|needed| needed["pkg"].as_str()));
        }
    }
    let packages = seen.iter().map(|id| all[id]);
    let others = packages.filter(|package| !package["source"].is_null());
    Ok(others.map(Package::new).collect())
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn by_id(list: &Value) -> BTreeMap<&str, &Value> {
    items(list)
        .filter_map(|item| Some((item["id"].as_str()?, item)))
        .collect()
}

/// Whether a dependency is linked, not only used by tests or build scripts.
fn is_linked(needed: &Value) -> bool {
    items(&needed["dep_kinds"]).any(|how| how["kind"].is_null())
}

impl Package {
    fn new(package: &Value) -> Package {
        let text = |key: &str| package[key].as_str().unwrap_or_default().to_owned();
        let manifest = PathBuf::from(text("manifest_path"));
        Package {
            name: format!("{} {}", text("name"), text("version")),
            licence: text("license"),
            directory: manifest.parent().unwrap_or(&manifest).to_owned(),
        }
    }

    /// Reads the licence texts in its directory, ordered by name.
    fn texts(&self) -> Result<Vec<String>, String> {
        let mut files = Vec::new();
        for entry in at(&self.directory, std::fs::read_dir(&self.directory))? {
            let file = at(&self.directory, entry)?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let lower = name.to_lowercase();
            if file.is_file() && TEXTS.iter().any(|text| lower.starts_with(text)) {
                files.push(file);
            }
        }
        files.sort();
        if files.is_empty() && self.licence.contains("Apache-2.0") {
            return Ok(vec![APACHE.to_owned()]);
        }
        if files.is_empty() {
            return Err(format!(
                "{} has no licence text in {}",
                self.name,
                self.directory.display()
            ));
        }
        files
            .iter()
            .map(|file| at(file, std::fs::read_to_string(file)))
            .collect()
    }
}

/// Writes the list of packages, and then each text once, under the packages that have it.
fn notices(packages: &BTreeSet<Package>) -> Result<String, String> {
    let mut all = HEAD.to_owned();
    all.push('\n');
    let mut texts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let _ = writeln!(all, "  {}: {}", package.name, package.licence);
        for text in package.texts()? {
            texts.entry(trim(&text)).or_default().push(&package.name);
        }
    }
    for (name, licence, text) in SCRIPTS {
        let _ = writeln!(all, "  {name} (in the receiver's page): {licence}");
        texts.entry(trim(text)).or_default().push(name);
    }
    let mut sections: Vec<_> = texts.into_iter().map(|(text, of)| (of, text)).collect();
    sections.sort();
    for (of, text) in sections {
        let rule = "-".repeat(80);
        let _ = write!(all, "\n{rule}\n{}:\n\n{text}\n", of.join(", "));
    }
    Ok(all)
}

/// Removes empty lines around a text, and spaces at the ends of its lines.
fn trim(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}
