//! The manual pages of section 3: one for each function, and resup(3) for what holds for all.

use std::path::Path;

use roff::{bold, italic, roman, Inline, Roff};

use crate::at;
use crate::header::{Comment, Header, Item, Section};

/// Writes all pages.
pub fn write(header: &Path, directory: &Path) -> Result<(), String> {
    let text = at(header, std::fs::read_to_string(header))?;
    let header =
        Header::parse(&text).map_err(|message| format!("{}: {message}", header.display()))?;
    at(directory, std::fs::create_dir_all(directory))?;
    let save = |name: &str, page: Roff| {
        let file = directory.join(format!("{name}.3"));
        at(&file, std::fs::write(&file, page.render()))
    };
    save("resup", overview(&header))?;
    for section in &header.sections {
        for item in section.items.iter().filter(|item| item.is_function()) {
            save(item.name(), function(item, section, &header)?)?;
        }
    }
    Ok(())
}

/// The page of one function.
fn function(item: &Item, of: &Section, header: &Header) -> Result<Roff, String> {
    let comment = &item.comment;
    for name in item.parameters() {
        if !comment.parameters.iter().any(|(known, _)| *known == name) {
            return Err(format!("no comment tells of {name} of {}", item.name()));
        }
    }
    let threads = comment.threads.as_ref();
    let threads =
        threads.ok_or_else(|| format!("the comment of {} has no \"Threads:\"", item.name()))?;

    let mut page = begin(item.name(), &item.summary());
    let declaration = format!("#include <resup.h>\n\n{}", item.declaration);
    verbatim(&mut page, &declaration, bold);
    // Of a getter it is told what it returns, and what its section says.
    let own = comment.paragraphs.iter();
    let own = own.filter(|_| comment.result.is_some());
    section(&mut page, "DESCRIPTION");
    fill(&mut page, own.chain(&of.paragraphs));
    if !comment.parameters.is_empty() {
        section(&mut page, "PARAMETERS");
        parameters(&mut page, comment);
    }
    section(&mut page, "RETURN VALUE");
    match &comment.result {
        Some(result) => {
            page.text(inlines(&sentence(result)));
        }
        None => fill(&mut page, &comment.paragraphs),
    }
    section(&mut page, "THREADS");
    page.text(inlines(threads));
    section(&mut page, "SEE ALSO");
    let told = format!("{:?} {:?} {threads}", comment.paragraphs, comment.result);
    let related = header.functions().map(Item::name);
    let related = related.filter(|name| *name != item.name() && words(&told).any(|w| w == *name));
    page.text(references(std::iter::once("resup").chain(related)));
    Ok(page)
}

/// resup(3).
fn overview(header: &Header) -> Roff {
    let mut head = header.head.iter();
    let title = head.next().map(String::as_str).unwrap_or_default();
    let summary = title.trim_start_matches("resup: ").trim_end_matches('.');
    let mut page = begin("resup", summary);
    let compile = "#include <resup.h>\n\ncc program.c $(pkg-config --cflags --libs resup)";
    verbatim(&mut page, compile, bold);
    section(&mut page, "DESCRIPTION");
    // How the header is made is no matter of its users.
    let head: Vec<String> = head.filter(|p| !p.contains("SPDX")).cloned().collect();
    fill(&mut page, &head);
    section(&mut page, "FUNCTIONS");
    for part in &header.sections {
        let mut functions = part
            .items
            .iter()
            .filter(|item| item.is_function())
            .peekable();
        if functions.peek().is_some() {
            page.control("SS", [part.title.as_str()]);
        }
        for item in functions {
            page.control("TP", []);
            page.text(references([item.name()]));
            page.text(inlines(&item.summary()));
        }
    }
    section(&mut page, "TYPES");
    for item in header.items().filter(|item| item.is_type()) {
        page.control("SS", [item.name()]);
        verbatim(&mut page, &item.declaration, bold);
        page.control("PP", []);
        fill(&mut page, &item.comment.paragraphs);
        parameters(&mut page, &item.comment);
        if let Some(result) = &item.comment.result {
            page.control("PP", []);
            page.text(inlines(&format!("It returns {result}.")));
        }
    }
    section(&mut page, "CONSTANTS");
    for item in header.items().filter(|item| item.is_constant()) {
        let value = item.declaration.rsplit(' ').next().unwrap_or_default();
        page.control("TP", []);
        page.text([bold(item.name()), roman(format!(" = {value}"))]);
        page.text(inlines(&item.comment.paragraphs.join(" ")));
    }
    section(&mut page, "SEE ALSO");
    page.text([bold("resup"), roman("(1)")]);
    page
}

/// A page up to its synopsis.
fn begin(name: &str, summary: &str) -> Roff {
    let version = concat!("resup ", env!("CARGO_PKG_VERSION"));
    let mut page = Roff::new();
    page.control("TH", [name, "3", " ", version, "Library Functions Manual"]);
    // Names are neither hyphenated nor stretched.
    page.control("nh", []).control("ad", ["l"]);
    section(&mut page, "NAME");
    page.text([roman(format!("{name} - {summary}"))]);
    section(&mut page, "SYNOPSIS");
    page
}

fn section(page: &mut Roff, name: &str) {
    page.control("SH", [name]);
}

/// Paragraphs, and examples between them.
fn fill<'a>(page: &mut Roff, paragraphs: impl IntoIterator<Item = &'a String>) {
    for (index, paragraph) in paragraphs.into_iter().enumerate() {
        if index > 0 {
            page.control("PP", []);
        }
        match paragraph.starts_with("    ") {
            true => verbatim(page, paragraph, roman),
            false => {
                page.text(inlines(paragraph));
            }
        }
    }
}

fn verbatim(page: &mut Roff, text: &str, font: fn(String) -> Inline) {
    page.control("nf", []);
    for line in text.lines() {
        match line.is_empty() {
            true => page.control("sp", []),
            false => page.text([font(line.to_owned())]),
        };
    }
    page.control("fi", []);
}

fn parameters(page: &mut Roff, comment: &Comment) {
    for (name, what) in &comment.parameters {
        page.control("TP", []);
        page.text([italic(name)]);
        page.text(inlines(&sentence(what.trim_start())));
    }
}

/// What is said behind a tag, as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let mut whole: String = first.into_iter().chain(letters).collect();
    if !whole.ends_with('.') {
        whole.push('.');
    }
    whole
}

/// `resup(3), resup_client_new(3)`
fn references<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<Inline> {
    let mut line = Vec::new();
    for name in names {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman("(3)")]);
    }
    line
}

/// The words that may be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

/// Text with our names in bold, as `#RESUP_OK`, and quoted ones in italics.
fn inlines(text: &str) -> Vec<Inline> {
    let mut line = Vec::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            line.push(italic(part));
            continue;
        }
        let mut rest = part;
        while let Some(at) = name_in(rest) {
            line.push(roman(rest[..at].trim_end_matches('#')));
            let name = words(&rest[at..]).next().unwrap_or_default();
            line.push(bold(name));
            rest = &rest[at + name.len()..];
        }
        line.push(roman(rest));
    }
    line
}

/// Where the next of our names begins.
fn name_in(text: &str) -> Option<usize> {
    let places = text
        .match_indices("resup_")
        .chain(text.match_indices("RESUP_"));
    places.map(|(at, _)| at).min()
}
