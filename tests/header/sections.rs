//! Writes include/resup.h: the head from cbindgen.toml, then a section for each file of src/ffi.
//!
//! cbindgen makes the declarations of a file. Here they are brought into the file's own order, under
//! the file's module doc.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// The files of src/ffi in the header's order.
const SECTIONS: [&str; 15] = [
    "types",
    "version",
    "status",
    "client",
    "client_network",
    "client_requests",
    "client_identity",
    "client_tls",
    "client_log",
    "upload",
    "upload_settings",
    "upload_run",
    "upload_callbacks",
    "upload_numbers",
    "upload_texts",
];

/// The most columns of a line.
const WIDTH: usize = 100;

/// Returns the header of the crate at `root`.
pub fn header(root: &Path) -> String {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).unwrap();
    let mut take = |text: fn(&mut cbindgen::Config) -> &mut Option<String>| {
        text(&mut config).take().unwrap_or_default()
    };
    let head = take(|config| &mut config.header);
    let preamble = take(|config| &mut config.after_includes);
    let trailer = take(|config| &mut config.trailer);
    let mut header = head.trim_start().to_owned() + "\n";
    for include in std::mem::take(&mut config.sys_includes) {
        write!(header, "\n#include <{include}>").unwrap();
    }
    header += "\n";
    header += &preamble;
    header += "\n";
    for name in SECTIONS {
        let file = root.join("src/ffi").join(name).with_extension("rs");
        header += &section(name, &file, &config);
    }
    header + "\n" + &trailer
}

/// Returns the section of a file, as a group of Doxygen's.
fn section(name: &str, file: &Path, config: &cbindgen::Config) -> String {
    let source = std::fs::read_to_string(file).unwrap();
    let items = items(&source);
    let mut config = config.clone();
    // Else it leaves out types that only other files use.
    let names = items.iter().map(|(item, _)| (*item).to_owned());
    config.export.include = names.collect();
    let mut made = Vec::new();
    let builder = cbindgen::Builder::new().with_config(config);
    let bindings = builder.with_src(file).generate();
    bindings.unwrap().write(&mut made);
    let made = String::from_utf8(made).unwrap();
    let pieces = made.split("\n\n").map(str::trim).filter(|p| !p.is_empty());
    let mut pieces: HashMap<_, _> = pieces.map(|piece| (declared(piece), piece)).collect();

    let mut text = banner(name, &source);
    for (item, apart) in items {
        let piece = pieces.remove(item);
        let piece = piece.unwrap_or_else(|| panic!("{item} of {name}.rs is not in {made}"));
        text += if apart { "\n" } else { "" };
        text += &layout(piece);
        text += "\n";
    }
    assert!(pieces.is_empty(), "{name}.rs: {pieces:?}");
    text + "/** @} */\n"
}

/// Returns the comment at the head of a section: the file's module doc.
fn banner(name: &str, source: &str) -> String {
    let doc = source.lines().map_while(|line| line.strip_prefix("//!"));
    let mut doc = doc.skip_while(|line| line.is_empty());
    let title = doc.next().unwrap().trim();
    let doc = doc.skip_while(|line| line.is_empty());
    let mut text = format!("\n/**\n * @defgroup {name} {title}\n");
    for line in doc {
        writeln!(text, " *{line}").unwrap();
    }
    text + " * @{\n */\n"
}

/// Returns the names of a file's public items in their order, and whether each stands apart from the
/// one before: constants that follow each other without an empty line do not.
fn items(source: &str) -> Vec<(&str, bool)> {
    const KINDS: [&str; 5] = [
        "pub const ",
        "pub type ",
        "pub struct ",
        "pub extern \"C\" fn ",
        "pub unsafe extern \"C\" fn ",
    ];
    let mut items = Vec::new();
    let mut apart = true;
    for line in source.lines() {
        apart |= line.is_empty();
        if let Some(rest) = KINDS.iter().find_map(|kind| line.strip_prefix(kind)) {
            items.push((word(rest), apart));
            apart = false;
        }
    }
    items
}

/// Returns the name at the start of `text`.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}

/// Returns the name that a piece of cbindgen's output declares.
fn declared(piece: &str) -> &str {
    let code = piece.split_once("*/").map_or(piece, |(_, code)| code);
    let code = code.trim();
    if let Some(rest) = code.strip_prefix("#define ") {
        return word(rest);
    }
    if let Some((_, callback)) = code.split_once("(*") {
        return word(callback);
    }
    let before = code.split(['(', ';']).next().unwrap_or_default();
    let at = before.rfind([' ', '*']).map_or(0, |at| at + 1);
    &before[at..]
}

/// Sets a piece: a comment of one line in one line, its tags right below the text, a declaration in
/// as few lines as fit.
fn layout(piece: &str) -> String {
    let piece = piece.replace("\n *\n * @", "\n * @");
    let (comment, code) = piece.split_once(" */\n").expect(&piece);
    let short = comment.strip_prefix("/**\n * ").map(str::trim_end);
    let short = short.filter(|line| !line.contains('\n') && line.len() <= WIDTH - 7);
    let comment = short.map_or(format!("{comment} */"), |line| format!("/** {line} */"));
    format!(
        "{comment}\n{}",
        wrap(&code.replace("RESUP_API\n", "RESUP_API "))
    )
}

/// Breaks a declaration behind commas; what follows stands below the first parameter.
fn wrap(code: &str) -> String {
    let indent = code.rfind('(').map_or(0, |at| at + 1);
    let mut lines = String::new();
    let mut column = 0;
    for part in code.split_inclusive(", ") {
        if column > 0 && column + part.trim_end().len() > WIDTH {
            lines.truncate(lines.trim_end().len());
            write!(lines, "\n{:indent$}", "").unwrap();
            column = indent;
        }
        lines += part;
        column += part.len();
    }
    lines
}
