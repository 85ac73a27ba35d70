//! include/resup.h as cbindgen writes it: comments, each before what it tells of.
#![forbid(unsafe_code)]

/// The header.
pub struct Header {
    /// The paragraphs at its head; lines that are not to be filled keep their indentation.
    pub head: Vec<String>,
    /// All that has a comment of its own.
    pub items: Vec<Item>,
}

/// A function, type or constant.
pub struct Item {
    pub declaration: String,
    pub comment: Comment,
}

/// What a comment says, without its stars.
#[derive(Default)]
pub struct Comment {
    /// What belongs to no tag.
    pub paragraphs: Vec<String>,
    /// The parameters' names and what is said of them.
    pub parameters: Vec<(String, String)>,
    pub result: Option<String>,
    /// From the word "Threads:" on.
    pub threads: Option<String>,
}

impl Header {
    pub fn parse(text: &str) -> Result<Header, String> {
        let mut lines = text.lines();
        let head = comment(&mut lines, "/*").ok_or("the header has no comment at its head")?;
        let mut items = Vec::new();
        while let Some(text) = comment(&mut lines, "/**") {
            let mut declaration = String::new();
            for line in lines.by_ref() {
                declaration.push_str(line);
                if line.ends_with(';') || line.starts_with("#define ") {
                    break;
                }
                declaration.push('\n');
            }
            items.push(Item {
                declaration: declaration.replace("RESUP_API\n", ""),
                comment: Comment::parse(&text),
            });
        }
        Ok(Header {
            head: paragraphs(&head),
            items,
        })
    }

    pub fn functions(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.is_function())
    }
}

impl Item {
    pub fn is_constant(&self) -> bool {
        self.declaration.starts_with("#define ")
    }

    pub fn is_type(&self) -> bool {
        self.declaration.starts_with("typedef ")
    }

    pub fn is_function(&self) -> bool {
        !self.is_constant() && !self.is_type()
    }

    /// The first of our names that is not the name of a type used by it.
    pub fn name(&self) -> &str {
        let declaration = self.declaration.as_str();
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let before = if self.is_function() {
            declaration.split('(').next()
        } else if let Some((_, callback)) = declaration.split_once("(*") {
            callback.split(')').next()
        } else if self.is_constant() {
            declaration.split(' ').nth(1)
        } else {
            declaration.strip_suffix(';')
        };
        let name = before.unwrap_or_default().rsplit(|c| !is_name(c)).next();
        name.unwrap_or_default()
    }

    /// The first sentence of its comment, as manual pages have it behind the name.
    pub fn summary(&self) -> String {
        let first = self.comment.paragraphs.first();
        let first = first.map(String::as_str).unwrap_or_default();
        let sentence = first.split(". ").next().unwrap_or_default();
        let mut letters = sentence.trim_end_matches('.').chars();
        let first = letters.next().map(|c| c.to_ascii_lowercase());
        first.into_iter().chain(letters).collect()
    }
}

impl Comment {
    fn parse(text: &str) -> Comment {
        let mut comment = Comment::default();
        for block in paragraphs(text) {
            for part in tagged(&block) {
                if let Some(rest) = part.strip_prefix("@param ") {
                    let (name, what) = rest.split_once(' ').unwrap_or((rest, ""));
                    comment.parameters.push((name.to_owned(), what.to_owned()));
                } else if let Some(rest) = part.strip_prefix("@return ") {
                    comment.result = Some(rest.to_owned());
                } else {
                    comment.tell(&part);
                }
            }
        }
        comment
    }

    fn tell(&mut self, text: &str) {
        let (told, threads) = match text.find("Threads: ") {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        };
        if !told.is_empty() {
            self.paragraphs.push(told.trim_end().to_owned());
        }
        if let Some(threads) = threads {
            self.threads = Some(threads.to_owned());
        }
    }
}

/// Skips to the next comment that begins so; its lines without stars.
fn comment<'a>(lines: &mut impl Iterator<Item = &'a str>, begin: &str) -> Option<String> {
    lines.find(|line| *line == begin)?;
    let inside = lines.take_while(|line| *line != " */");
    let bare = inside.map(|line| line.strip_prefix(" *").unwrap_or(line));
    let bare = bare.map(|line| line.strip_prefix(' ').unwrap_or(line));
    Some(bare.collect::<Vec<_>>().join("\n"))
}

/// The text between empty lines, each in one line; an example, which is indented, keeps its own.
fn paragraphs(text: &str) -> Vec<String> {
    let blocks = text.split("\n\n").filter(|block| !block.is_empty());
    let filled = blocks.map(|block| match block.starts_with("    ") {
        true => block.to_owned(),
        false => block.split_whitespace().collect::<Vec<_>>().join(" "),
    });
    filled.collect()
}

/// A block's parts, each of which but the first begins with its tag.
fn tagged(block: &str) -> Vec<String> {
    let marked = block.replace("@param ", "\0@param ");
    let marked = marked.replace("@return ", "\0@return ");
    let parts = marked.split('\0').map(str::trim_end);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}
