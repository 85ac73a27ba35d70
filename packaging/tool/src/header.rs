//! include/resup.h: sections, and in them comments, each before what it tells of.

/// The header.
pub struct Header {
    /// The paragraphs at its head; lines that are not to be filled keep their indentation.
    pub head: Vec<String>,
    pub sections: Vec<Section>,
}

/// A part of the header, with what its functions have in common.
pub struct Section {
    pub title: String,
    /// What is said of all its functions.
    pub paragraphs: Vec<String>,
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
        let head = head(&mut lines).ok_or("the header has no comment at its head")?;
        let mut sections = Vec::new();
        let mut common = Comment::default();
        while let Some(text) = comment(&mut lines) {
            if let Some(rest) = text.strip_prefix("@defgroup ") {
                let (first, rest) = rest.split_once('\n').unwrap_or((rest, ""));
                let (_, title) = first.split_once(' ').unwrap_or(("", first));
                common = Comment::parse(rest.trim_end_matches("@{"));
                sections.push(Section {
                    title: title.to_owned(),
                    paragraphs: std::mem::take(&mut common.paragraphs),
                    items: Vec::new(),
                });
            } else if text != "@}" {
                let mut item = Item {
                    declaration: declaration(&mut lines),
                    comment: Comment::parse(&text),
                };
                item.inherit(&common);
                let section = sections.last_mut();
                let section = section.ok_or_else(|| format!("no section has {}", item.name()))?;
                section.items.push(item);
            }
        }
        Ok(Header {
            head: paragraphs(&head),
            sections,
        })
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.sections.iter().flat_map(|section| &section.items)
    }

    pub fn functions(&self) -> impl Iterator<Item = &Item> {
        self.items().filter(|item| item.is_function())
    }
}

impl Item {
    /// Takes from its section's comment what its own does not say.
    fn inherit(&mut self, common: &Comment) {
        let known = self.comment.parameters.clone();
        let own = |name: &String| known.iter().any(|(other, _)| other == name);
        let missing = common.parameters.iter().filter(|(name, _)| !own(name));
        self.comment.parameters.extend(missing.cloned());
        // In their order, and without those of other functions.
        let places = self.parameters();
        let place = |name: &String| places.iter().position(|other| other == name);
        let parameters = &mut self.comment.parameters;
        parameters.retain(|(name, _)| place(name).is_some() || own(name));
        parameters.sort_by_key(|(name, _)| place(name));
        if self.is_function() {
            let comment = &mut self.comment;
            comment.result = comment.result.take().or_else(|| common.result.clone());
            comment.threads = comment.threads.take().or_else(|| common.threads.clone());
        }
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> Vec<String> {
        let inside = self.declaration.rsplit_once('(');
        let inside = inside.and_then(|(_, inside)| inside.strip_suffix(");"));
        let parameters = inside.unwrap_or_default().split(',');
        let names = parameters.filter_map(|parameter| parameter.rsplit([' ', '*']).next());
        let names = names.filter(|name| !name.is_empty() && *name != "void");
        names.map(str::to_owned).collect()
    }

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

/// The comment at the head, without stars.
fn head<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    lines.find(|line| *line == "/**")?;
    let text = inside(lines);
    Some(text.trim_start_matches("@file\n").to_owned())
}

/// Skips to the next comment of Doxygen's; its lines without stars.
fn comment<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<String> {
    let first = lines.find_map(|line| line.strip_prefix("/**"))?;
    match first.strip_suffix(" */") {
        Some(only) => Some(only.trim_start().to_owned()),
        None => Some(inside(lines)),
    }
}

/// The lines up to the end of a comment, without stars.
fn inside<'a>(lines: &mut impl Iterator<Item = &'a str>) -> String {
    let inside = lines.take_while(|line| *line != " */");
    let bare = inside.map(|line| line.strip_prefix(" *").unwrap_or(line));
    let bare = bare.map(|line| line.strip_prefix(' ').unwrap_or(line));
    bare.collect::<Vec<_>>().join("\n")
}

/// The next declaration, with each parameter in a line of its own.
fn declaration<'a>(lines: &mut impl Iterator<Item = &'a str>) -> String {
    let mut words = Vec::new();
    for line in lines {
        words.extend(line.split_whitespace());
        if line.ends_with(';') || line.starts_with("#define ") {
            break;
        }
    }
    let code = words.join(" ");
    let code = code.strip_prefix("RESUP_API ").unwrap_or(&code);
    let indent = code.rfind('(').map_or(0, |at| at + 1);
    code.replace(", ", &format!(",\n{:indent$}", ""))
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
