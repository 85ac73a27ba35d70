//! Which file of a crate uses which, read from its sources; and files that use each other in a circle.
//!
//! A file uses another one when a path in it (in a `use` or anywhere else) leads there. Paths through a
//! re-export lead to the file that defines the name. No use is:
//!
//! - a `mod` declaration, and a re-export of which the file itself makes no use;
//! - what only tests see: items under `#[cfg(test)]`, and the files that they declare.
//!
//! Calls of methods are no paths: a method that another file adds to a type does not show.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use source::{is_elsewhere, is_name, is_public, occurs, tokens, use_tree, without_tests};

/// Lists the arrows between the files below `src`: the first of a pair uses the second. Paths are relative
/// to `src`, which has a `lib.rs` or a `main.rs` (or both).
///
/// # Panics
///
/// Where a file cannot be read, or a declared module has no file.
pub fn arrows(src: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut arrows = BTreeSet::new();
    for root in ["lib.rs", "main.rs"] {
        if src.join(root).exists() {
            arrows.extend(Tree::read(src, root).arrows());
        }
    }
    assert!(
        !arrows.is_empty(),
        "no file uses another one in {}",
        src.display()
    );
    arrows.into_iter().collect()
}

/// Lists the circles in `arrows`: sets of files of which each one leads to all others, in order.
pub fn circles(arrows: &[(PathBuf, PathBuf)]) -> Vec<Vec<PathBuf>> {
    let mut reached = BTreeMap::new();
    for (from, _) in arrows {
        reached
            .entry(from)
            .or_insert_with(|| reachable(arrows, from));
    }
    let leads = |from, to| reached.get(from).is_some_and(|files| files.contains(to));
    let mut circles = BTreeSet::new();
    for (from, files) in &reached {
        let members: Vec<_> = files.iter().filter(|file| leads(*file, *from)).collect();
        if members.len() > 1 {
            circles.insert(members.into_iter().map(|file| (*file).clone()).collect());
        }
    }
    circles.into_iter().collect()
}

fn reachable<'a>(arrows: &'a [(PathBuf, PathBuf)], from: &PathBuf) -> BTreeSet<&'a PathBuf> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(file) = next.pop() {
        for (_, to) in arrows.iter().filter(|(from, _)| from == file) {
            if found.insert(to) {
                next.push(to);
            }
        }
    }
    found
}

/// Checks how the files below `src` are arranged.
///
/// # Panics
///
/// Where files use each other in a circle (the message names the files and what each uses), and where a
/// module with children is `x.rs` beside `x/` instead of `x/mod.rs`.
pub fn check(src: &Path) {
    let arrows = arrows(src);
    let mut faults = String::new();
    for circle in circles(&arrows) {
        faults += "\nfiles use each other in a circle:\n";
        let inside =
            |(from, to): &&(PathBuf, PathBuf)| circle.contains(from) && circle.contains(to);
        for (from, to) in arrows.iter().filter(inside) {
            faults += &format!("    {} uses {}\n", from.display(), to.display());
        }
    }
    let files: BTreeSet<_> = arrows.iter().flat_map(|(from, to)| [from, to]).collect();
    for file in files {
        if src.join(file.with_extension("")).is_dir() {
            let (name, dir) = (file.display(), file.with_extension(""));
            faults += &format!(
                "\n{name} stands beside its directory: move it to {}/mod.rs\n",
                dir.display()
            );
        }
    }
    assert!(faults.is_empty(), "{}:\n{faults}", src.display());
}

/// The modules of a crate that have files of their own; the first one is the root.
struct Tree {
    modules: Vec<Module>,
}

struct Module {
    file: PathBuf,
    parent: usize,
    children: BTreeMap<String, usize>,
    tokens: Vec<String>,
    /// What `use` lines bring in, each by its name here.
    imports: BTreeMap<String, Import>,
    /// Paths before a `*`.
    globs: Vec<Vec<String>>,
}

struct Import {
    path: Vec<String>,
    public: bool,
}

impl Tree {
    fn read(src: &Path, root: &str) -> Self {
        let mut tree = Self {
            modules: Vec::new(),
        };
        tree.add(src, PathBuf::from(root), PathBuf::new(), 0);
        tree
    }

    /// Adds the module in `file` and those that it declares, whose files are in `dir`.
    fn add(&mut self, src: &Path, file: PathBuf, dir: PathBuf, parent: usize) -> usize {
        let text = fs::read_to_string(src.join(&file))
            .unwrap_or_else(|error| panic!("{}: {error}", src.join(&file).display()));
        let tokens = without_tests(tokens(&text));
        let index = self.modules.len();
        let declared: Vec<_> = tokens
            .windows(3)
            .enumerate()
            .filter(|(at, three)| {
                three[0] == "mod" && three[2] == ";" && !is_elsewhere(&tokens[..*at])
            })
            .map(|(_, three)| three[1].clone())
            .collect();
        let (imports, globs) = imports(&tokens);
        self.modules.push(Module {
            file,
            parent,
            children: BTreeMap::new(),
            tokens,
            imports,
            globs,
        });
        for name in declared {
            let flat = dir.join(format!("{name}.rs"));
            let file = match src.join(&flat).exists() {
                true => flat,
                false => dir.join(&name).join("mod.rs"),
            };
            let child = self.add(src, file, dir.join(&name), index);
            self.modules[index].children.insert(name, child);
        }
        index
    }

    fn arrows(&self) -> impl Iterator<Item = (PathBuf, PathBuf)> + '_ {
        let ends = |from: usize| {
            let paths = paths(&self.modules[from]);
            let ends: BTreeSet<_> = paths
                .into_iter()
                .filter_map(|path| self.resolve(from, &path, 0))
                .filter(|to| *to != from)
                .collect();
            ends.into_iter().map(move |to| (from, to))
        };
        let file = |index: usize| self.modules[index].file.clone();
        (0..self.modules.len())
            .flat_map(ends)
            .map(move |(from, to)| (file(from), file(to)))
    }

    /// Finds the module whose file defines the end of a path, as seen from module `from`. `None` when the path
    /// leaves the crate, or names a module and nothing in it.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<usize> {
        let (first, rest) = path.split_first()?;
        let module = &self.modules[from];
        match first.as_str() {
            "crate" => self.descend(0, rest, depth),
            "self" => self.descend(from, rest, depth),
            "super" => self.descend(module.parent, rest, depth),
            name if module.children.contains_key(name) || module.imports.contains_key(name) => {
                self.descend(from, path, depth)
            }
            _ => None,
        }
    }

    fn descend(&self, at: usize, path: &[String], depth: usize) -> Option<usize> {
        let module = &self.modules[at];
        let (name, rest) = path.split_first()?;
        if name == "super" {
            return self.descend(module.parent, rest, depth);
        }
        if let Some(child) = module.children.get(name) {
            if !rest.is_empty() {
                return self.descend(*child, rest, depth);
            }
            if !module.imports.contains_key(name) {
                return None;
            }
        }
        // Imports may go in circles.
        if depth > 16 {
            return Some(at);
        }
        if let Some(import) = module.imports.get(name) {
            let path = [&*import.path, rest].concat();
            return self.resolve(at, &path, depth + 1);
        }
        let defined = |at: &usize| self.modules[*at].defines(name);
        let globbed = |glob: &Vec<String>| {
            let found = self.resolve(at, &[&**glob, path].concat(), depth + 1);
            found.filter(defined)
        };
        if defined(&at) {
            return Some(at);
        }
        Some(module.globs.iter().find_map(globbed).unwrap_or(at))
    }
}

impl Module {
    fn defines(&self, name: &str) -> bool {
        const KINDS: [&str; 8] = [
            "fn", "struct", "enum", "trait", "type", "const", "static", "union",
        ];
        self.tokens
            .windows(2)
            .any(|two| two[1] == name && KINDS.contains(&two[0].as_str()))
    }
}

/// Finds the paths in a module's text, as seen from the module itself. A re-export counts when its name is used.
fn paths(module: &Module) -> Vec<Vec<String>> {
    let (tokens, mut found) = (&module.tokens, Vec::new());
    let (mut at, mut depth, mut inline) = (0, 0, Vec::new());
    while at < tokens.len() {
        let (token, next) = (&*tokens[at], tokens.get(at + 1).map(String::as_str));
        match token {
            "mod" if tokens.get(at + 2).is_some_and(|brace| brace == "{") => inline.push(depth),
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inline.retain(|opened| *opened < depth);
            }
            "use" => {
                let mut leaves = Vec::new();
                let public = is_public(tokens, at);
                at = use_tree(tokens, at + 1, Vec::new(), &mut leaves);
                let used = |(name, _): &(String, Vec<String>)| {
                    !public || name == "*" || occurs(tokens, name)
                };
                let used = leaves.into_iter().filter(used);
                found.extend(used.filter_map(|(_, path)| outside(path, inline.len())));
                continue;
            }
            _ if next == Some("::") && is_name(token) && !follows_path(tokens, at) => {
                let mut path = vec![token.to_owned()];
                while tokens.get(at + 1).is_some_and(|token| token == "::")
                    && tokens.get(at + 2).is_some_and(|token| is_name(token))
                {
                    path.push(tokens[at + 2].clone());
                    at += 2;
                }
                found.extend(outside(path, inline.len()));
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Rewrites a path of an inline module, `depth` levels deep, as one of the file's own module.
fn outside(path: Vec<String>, depth: usize) -> Option<Vec<String>> {
    let ups = path.iter().take_while(|name| *name == "super").count();
    match depth {
        0 => Some(path),
        _ if path.first().is_some_and(|first| first == "crate") => Some(path),
        _ if ups >= depth => {
            let own = std::iter::once("self".to_owned());
            Some(own.chain(path.into_iter().skip(depth)).collect())
        }
        _ => None,
    }
}

fn imports(tokens: &[String]) -> (BTreeMap<String, Import>, Vec<Vec<String>>) {
    let (mut imports, mut globs) = (BTreeMap::new(), Vec::new());
    let uses = tokens.iter().enumerate();
    for (at, _) in uses.filter(|(_, token)| *token == "use") {
        let public = is_public(tokens, at);
        let mut leaves = Vec::new();
        use_tree(tokens, at + 1, Vec::new(), &mut leaves);
        for (name, mut path) in leaves {
            if name == "*" {
                path.pop();
                globs.push(path);
            } else {
                // A module and a public name may be called the same.
                let import = Import { path, public };
                let known = imports.get(&name);
                if known.is_none_or(|known: &Import| !known.public) {
                    imports.insert(name, import);
                }
            }
        }
    }
    (imports, globs)
}

fn follows_path(tokens: &[String], at: usize) -> bool {
    at > 0 && matches!(&*tokens[at - 1], "::" | ".")
}
