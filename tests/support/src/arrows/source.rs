//! Reads the text of Rust as far as needed to know what a file uses: tokens and `use` lines.

/// Reads a `use` tree that begins at `at`; returns where it ends. Each leaf is a name and its path.
pub fn use_tree(
    tokens: &[String],
    mut at: usize,
    mut path: Vec<String>,
    leaves: &mut Vec<(String, Vec<String>)>,
) -> usize {
    while let Some(token) = tokens.get(at).map(String::as_str) {
        match token {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token != "}") {
                    at = use_tree(tokens, at, path.clone(), leaves);
                    at += usize::from(tokens.get(at).is_some_and(|token| token == ","));
                }
                return at + 1;
            }
            "as" => {
                leaves.push((tokens[at + 1].clone(), path));
                return at + 2;
            }
            "*" => {
                path.push("*".to_owned());
                leaves.push(("*".to_owned(), path));
                return at + 1;
            }
            name if is_name(name) => {
                // `self` in braces is the path before them.
                if name != "self" || path.is_empty() {
                    path.push(name.to_owned());
                }
                at += 1;
            }
            _ => break,
        }
    }
    if let Some(name) = path.last().cloned() {
        leaves.push((name, path));
    }
    at
}

/// Whether the `use` at `at` has a visibility of its own.
pub fn is_public(tokens: &[String], at: usize) -> bool {
    at > 0 && matches!(&*tokens[at - 1], "pub" | ")")
}

/// Whether the file of a module is named by an attribute (`#[path = "…"]`), which ends `before` its declaration:
/// then it is another crate's.
pub fn is_elsewhere(before: &[String]) -> bool {
    let item = before.rsplit(|token| token == ";" || token == "}").next();
    let item = item.unwrap_or_default();
    item.windows(3)
        .any(|three| three[0] == "#" && three[1] == "[" && three[2] == "path")
}

/// Whether a token is a name.
pub fn is_name(token: &str) -> bool {
    let first = token.chars().next();
    first.is_some_and(|c| c.is_alphabetic() || c == '_')
}

/// Whether a name stands anywhere but in `use` lines and declarations of modules.
pub fn occurs(tokens: &[String], name: &str) -> bool {
    let mut at = 0;
    while at < tokens.len() {
        match &*tokens[at] {
            "use" => at = use_tree(tokens, at + 1, Vec::new(), &mut Vec::new()),
            "mod" => at += 2,
            token if token == name => return true,
            _ => at += 1,
        }
    }
    false
}

/// Removes the items that only tests see.
pub fn without_tests(tokens: Vec<String>) -> Vec<String> {
    let mut rest = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_test = [
            &["#", "[", "cfg", "(", "test", ")", "]"][..],
            &["#", "[", "cfg", "(", "all", "(", "test", ","][..],
        ]
        .iter()
        .any(|start| tokens[at..].iter().take(start.len()).eq(start.iter()));
        if is_test {
            at = end_of_item(&tokens, at);
        } else {
            rest.push(tokens[at].clone());
            at += 1;
        }
    }
    rest
}

/// Finds the end of the item whose attributes begin at `at`.
fn end_of_item(tokens: &[String], mut at: usize) -> usize {
    let mut depth = 0;
    let mut attribute = true;
    while let Some(token) = tokens.get(at) {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        at += 1;
        match token.as_str() {
            ";" if depth == 0 => return at,
            "}" if depth == 0 => return at,
            "]" if depth == 0 && attribute => {
                attribute = tokens.get(at).is_some_and(|next| next == "#");
            }
            _ => {}
        }
    }
    at
}

/// Splits Rust into names, `::` and single signs. Comments, texts, numbers and lifetimes are left out.
pub fn tokens(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let at_is = |at: usize, c: char| chars.get(at) == Some(&c);
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c == '/' && at_is(at + 1, '/') {
            at = find(&chars, at, |c| c == '\n');
        } else if c == '/' && at_is(at + 1, '*') {
            at = end_of_comment(&chars, at);
        } else if c == '"' {
            at = end_of_text(&chars, at);
        } else if c == '\'' {
            at = match (at_is(at + 1, '\\'), at_is(at + 2, '\'')) {
                (true, _) => find(&chars, at + 3, |c| c == '\'') + 1,
                (false, true) => at + 3,
                (false, false) => find(&chars, at + 1, |c| !is_in_name(c)),
            };
        } else if is_in_name(c) {
            let end = find(&chars, at, |c| !is_in_name(c));
            let name: String = chars[at..end].iter().collect();
            let hashes = find(&chars, end, |c| c != '#') - end;
            if name.len() < 3 && name.ends_with('r') && at_is(end + hashes, '"') {
                at = end_of_raw(&chars, end + hashes + 1, hashes);
            } else if name == "r" && hashes == 1 {
                // A raw name: its `r#` is left out.
                at = end + 1;
            } else {
                at = end;
                if !c.is_ascii_digit() {
                    tokens.push(name);
                }
            }
        } else {
            let path = c == ':' && at_is(at + 1, ':');
            if !c.is_whitespace() {
                tokens.push(if path { "::".into() } else { c.to_string() });
            }
            at += if path { 2 } else { 1 };
        }
    }
    tokens
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(chars: &[char], from: usize, is: impl Fn(char) -> bool) -> usize {
    let rest = chars.get(from..).unwrap_or_default();
    rest.iter()
        .position(|c| is(*c))
        .map_or(chars.len(), |offset| from + offset)
}

fn end_of_comment(chars: &[char], mut at: usize) -> usize {
    let mut depth = 0;
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => depth += 1,
            ('*', Some('/')) => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_text(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while chars.get(at).is_some_and(|c| *c != '"') {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn end_of_raw(chars: &[char], start: usize, hashes: usize) -> usize {
    let mut at = start;
    while at < chars.len() {
        at = find(chars, at, |c| c == '"') + 1;
        if find(chars, at, |c| c != '#') >= at + hashes {
            break;
        }
    }
    at + hashes
}
