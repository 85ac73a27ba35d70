//! bindings/delphi/src/Resup.Api.pas, made from include/resup.h.

use std::collections::BTreeSet;
use std::fmt::Write;

/// What Pascal, which knows no case, calls otherwise: `out` is a word of its own, and there is a function
/// `resup_version_number` too.
const RENAMED: [(&str, &str); 2] = [
    ("out", "handle"),
    ("RESUP_VERSION_NUMBER", "RESUP_HEADER_VERSION_NUMBER"),
];

struct Declaration {
    doc: String,
    code: String,
}

/// The header's declarations with the comments before them, each in one line. (Of the comments at the two
/// ends of a section, the code is not one.)
fn declarations(header: &str) -> Vec<Declaration> {
    let (_, body) = header.split_once("extern \"C\" {\n#endif\n").unwrap();
    let (body, _) = body.rsplit_once("#ifdef __cplusplus").unwrap();
    let comments = body.split("/**").skip(1);
    let pairs = comments.map(|part| part.split_once("*/").unwrap());
    pairs
        .map(|(doc, code)| {
            let lines = doc.lines().map(|line| line.trim().trim_start_matches('*'));
            Declaration {
                doc: lines.map(str::trim).collect::<Vec<_>>().join("\n"),
                code: code.split_whitespace().collect::<Vec<_>>().join(" "),
            }
        })
        .collect()
}

fn name(c: &str) -> &str {
    let found = RENAMED.iter().find(|(from, _)| *from == c);
    found.map_or(c, |(_, to)| to)
}

fn kind(c: &str) -> String {
    let known = match c {
        "int32_t" => "Integer",
        "uint32_t" => "Cardinal",
        "uint64_t" => "resup_uint64",
        "uint64_t *" => "Presup_uint64",
        "size_t" => "resup_size",
        "size_t *" => "Presup_size",
        "void *" | "const void *" => "Pointer",
        "const char *" => "PAnsiChar",
        "const uint8_t *" => "PByte",
        "const uint16_t *" => "PWideChar",
        "resup_client *" | "const resup_client *" => "Presup_client",
        "resup_upload *" | "const resup_upload *" => "Presup_upload",
        "resup_client **" => "PPresup_client",
        "resup_upload **" => "PPresup_upload",
        c if c.starts_with("resup_") && !c.contains('*') => c,
        c => panic!("no Pascal type for \"{c}\""),
    };
    known.to_owned()
}

/// `const char *path` as its type and its name.
fn split(declared: &str) -> (&str, &str) {
    let at = declared.rfind([' ', '*']).unwrap() + 1;
    (declared[..at].trim(), &declared[at..])
}

/// `function(level: Integer): Integer; cdecl`, of what C declares by this result and these parameters.
fn function(result: &str, parameters: &str) -> String {
    let list: Vec<_> = match parameters {
        "void" => Vec::new(),
        some => some.split(", ").map(split).collect(),
    };
    let list: Vec<_> = list
        .iter()
        .map(|(c, of)| format!("{}: {}", name(of), kind(c)))
        .collect();
    let list = match list.is_empty() {
        true => String::new(),
        false => format!("({})", list.join("; ")),
    };
    match result {
        "void" => format!("procedure{list}; cdecl"),
        some => format!("function{list}: {}; cdecl", kind(some)),
    }
}

/// Doxygen's words as XMLDoc.
fn documented(doc: &str, indent: &str) -> String {
    let escaped = doc.replace('&', "&amp;").replace('<', "&lt;");
    let escaped = escaped.replace('>', "&gt;").replace('#', "");
    let mut parts: Vec<(String, String)> = vec![("summary".to_owned(), String::new())];
    for line in escaped.trim().lines() {
        if let Some(rest) = line.strip_prefix("@param ") {
            let (of, text) = rest.trim().split_once(' ').unwrap();
            let tag = format!("param name=\"{}\"", name(of));
            parts.push((tag, text.trim().to_owned()));
        } else if let Some(text) = line.strip_prefix("@return ") {
            parts.push(("returns".to_owned(), text.trim().to_owned()));
        } else if line.is_empty() {
            parts.push(("remarks".to_owned(), String::new()));
        } else {
            let (_, text) = parts.last_mut().unwrap();
            let gap = if text.is_empty() { "" } else { "\n" };
            write!(text, "{gap}{line}").unwrap();
        }
    }
    let mut made = String::new();
    for (tag, text) in parts.iter().filter(|(_, text)| !text.is_empty()) {
        let end = tag.split(' ').next().unwrap();
        let block = format!("<{tag}>{text}</{end}>");
        for line in block.lines() {
            writeln!(made, "{indent}/// {line}").unwrap();
        }
    }
    made
}

/// What the comment at the head of a section says, as a comment.
fn section(doc: &str) -> String {
    let lines = doc.trim().lines().filter(|line| !line.starts_with("@{"));
    let mut made = String::new();
    for line in lines {
        let title = line
            .strip_prefix("@defgroup ")
            .and_then(|l| l.split_once(' '));
        let text = title.map_or(line, |(_, title)| title).replace('#', "");
        let text = text.replace("@param ", "").replace("@return ", "Returns ");
        writeln!(made, "{}", format!("// {text}").trim_end()).unwrap();
    }
    made.trim_end_matches("//\n").to_owned()
}

/// The word that a declaration of Pascal's stands under, its name, and the declaration.
fn declaration(code: &str) -> (&'static str, &str, String) {
    if let Some(rest) = code.strip_prefix("#define ") {
        let (constant, value) = rest.split_once(' ').unwrap();
        let constant = name(constant);
        let value = value.replace("UINT64_MAX", "resup_uint64(-1)");
        return ("const", constant, format!("  {constant} = {value};\n"));
    }
    if let Some(rest) = code.strip_prefix("typedef struct ") {
        let (of, _) = rest.split_once(' ').unwrap();
        let pointers = format!("  P{of} = ^{of};\n  PP{of} = ^P{of};\n");
        let text = format!("  {of} = record Opaque: Byte; end;\n{pointers}");
        return ("type", of, text);
    }
    if let Some(rest) = code.strip_prefix("typedef ") {
        let Some((result, rest)) = rest.split_once(" (*") else {
            let (c, of) = split(rest.strip_suffix(';').unwrap());
            return ("type", of, format!("  {of} = {};\n", kind(c)));
        };
        let (of, parameters) = rest.split_once(")(").unwrap();
        let parameters = parameters.strip_suffix(");").unwrap();
        let text = format!("  {of} = {};\n", function(result, parameters));
        return ("type", of, text);
    }
    let code = code.strip_prefix("RESUP_API ").expect(code);
    let (head, parameters) = code.split_once('(').unwrap();
    let (result, of) = split(head);
    let parameters = parameters.strip_suffix(");").unwrap();
    let text = format!("  {of}: {};\n", function(result, parameters));
    ("var", of, text)
}

/// The unit.
pub fn made_of(header: &str) -> String {
    let (mut all, mut loads, mut under) = (String::new(), String::new(), "");
    let mut names = BTreeSet::new();
    for Declaration { doc, code } in declarations(header) {
        let doc = doc.trim();
        if doc == "@}" {
            continue;
        }
        if doc.starts_with("@defgroup ") {
            write!(all, "\n{}", section(doc)).unwrap();
            under = "";
            continue;
        }
        let (word, of, text) = declaration(&code);
        if under != word {
            write!(all, "\n{word}\n").unwrap();
            under = word;
        }
        all += &documented(doc, "  ");
        all += &text;
        if word == "var" {
            writeln!(loads, "    @{of} := FindFunction('{of}');").unwrap();
        }
        let fresh = names.insert(of.to_ascii_lowercase());
        assert!(fresh, "Pascal knows no case: there are two of {of}");
    }
    include_str!("unit.pas")
        .replace("// DECLARATIONS\n", all.trim_start())
        .replace("    // LOADS\n", &loads)
}
