//! What is known of the parts at the server: their ETags.

use resup_digests::{Algorithm, Digest, State as DigestState};

use super::spec::Spec;

/// The longest ETag that is kept.
const LONGEST: usize = 200;
/// What a record has before an ETag that is no MD5.
const MARK: &str = "~";

/// A part that the server has confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    /// Without quotes.
    text: String,
    /// Whether it is the MD5 of the bytes that were sent.
    is_md5: bool,
}

/// The parts of one upload, by their ETags.
#[derive(Debug, Default)]
pub(super) struct Memory {
    part_size: u64,
    tags: Vec<Option<Tag>>,
    /// The ETags of further parts that the server has listed. They are MD5s, and nothing has proved these parts here.
    listed: Vec<Option<String>>,
    /// Whether an ETag was the MD5 of its part: then each of them has to be.
    gives_md5: bool,
    /// Whether the server may have made the file: all parts were there before this run, or it was asked to.
    pub may_be_complete: bool,
    /// Whether the server has answered in this run.
    pub has_answered: bool,
}

impl Memory {
    /// Begins with what an earlier run has noted.
    pub(super) fn new(spec: &Spec, count: u64, record: Option<&str>) -> Self {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let tags = record.and_then(|record| restore(record, spec.part_size, count));
        let tags = tags.unwrap_or_else(|| vec![None; count]);
        Memory {
            part_size: spec.part_size,
            gives_md5: tags.iter().flatten().any(|tag| tag.is_md5),
            may_be_complete: tags.iter().all(Option::is_some),
            listed: vec![None; count],
            tags,
            ..Memory::default()
        }
    }

    /// Writes what a later run has to know. An ETag that is no MD5 has a mark: if the next one is, that run has to know of the
    /// damage, too.
    pub(super) fn record(&self) -> String {
        let mut record = self.part_size.to_string();
        for tag in &self.tags {
            record.push(' ');
            match tag {
                None => record.push('-'),
                Some(tag) if tag.is_md5 => record.push_str(&tag.text),
                Some(tag) => record.extend([MARK, &tag.text]),
            }
        }
        record
    }

    /// Notes that the server has stored a part, of whose bytes this is the MD5. Gives whether it has stored other bytes.
    pub(super) fn store(&mut self, index: usize, etag: String, md5: &str) -> bool {
        let is_md5 = etag.eq_ignore_ascii_case(md5);
        self.gives_md5 |= is_md5;
        self.listed[index] = None;
        if self.gives_md5 && !is_md5 {
            self.tags[index] = None;
            return true;
        }
        self.tags[index] = Some(Tag { text: etag, is_md5 });
        false
    }

    /// Forgets the parts whose ETags show that the server has stored other bytes. Gives whether there are some.
    pub(super) fn drop_damaged(&mut self) -> bool {
        let mut is_damaged = false;
        for tag in self.tags.iter_mut().filter(|_| self.gives_md5) {
            is_damaged |= tag.take_if(|tag| !tag.is_md5).is_some();
        }
        is_damaged
    }

    /// Forgets all parts: the server does not have them by these ETags.
    pub(super) fn forget(&mut self) {
        self.tags.fill(None);
        self.listed.fill(None);
        self.may_be_complete = false;
    }

    /// Takes a list of parts, each with its index, ETag and size. It tells of the parts from the first index up to the second.
    pub(super) fn list(
        &mut self,
        parts: &[(usize, String, u64)],
        (from, to): (usize, usize),
        lengths: impl Fn(usize) -> u64,
    ) {
        let mut new = vec![None; self.tags.len()];
        for (index, etag, size) in parts {
            if *index < new.len() && *size == lengths(*index) {
                new[*index] = Some(etag);
            }
        }
        for (index, etag) in new.into_iter().enumerate().take(to).skip(from) {
            let is_known = |tag: &Tag| etag.is_some_and(|etag| *etag == tag.text);
            self.tags[index].take_if(|tag| !is_known(tag));
            let etag = etag.filter(|etag| self.tags[index].is_none() && md5(etag).is_some());
            self.listed[index] = etag.cloned();
        }
    }

    /// Gives the ETags of all parts; `None` if one is missing.
    pub(super) fn all(&self) -> Option<Vec<&str>> {
        let known = self.tags.iter().zip(&self.listed);
        known
            .map(|(tag, listed)| {
                tag.as_ref()
                    .map(|tag| tag.text.as_str())
                    .or(listed.as_deref())
            })
            .collect()
    }

    /// Gives the indexes of the parts that are known to be there.
    pub(super) fn held(&self) -> impl Iterator<Item = usize> + '_ {
        let tags = self.tags.iter().enumerate();
        tags.filter_map(|(index, tag)| tag.as_ref().map(|_| index))
    }

    /// Gives the further parts, each with the MD5 that its bytes must have.
    pub(super) fn unproven(&self) -> impl Iterator<Item = (usize, Digest)> + '_ {
        let listed = self.listed.iter().enumerate();
        listed.filter_map(|(index, etag)| Some((index, md5(etag.as_ref()?)?)))
    }

    /// Gives the ETag of a file that is made of these parts: the MD5 of their MD5s. `None` where they have none.
    pub(super) fn joined(&self) -> Option<String> {
        let mut state = DigestState::new(Algorithm::Md5);
        let all = self.all()?;
        for etag in &all {
            state.update(md5(etag)?.bytes());
        }
        Some(format!("{}-{}", state.digest().hex(), all.len()))
    }
}

/// Reads an ETag: without quotes. `None` for what cannot be one.
pub(super) fn etag(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("W/").unwrap_or(text).trim_matches('"');
    let is_right = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    let is_etag = (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_right) && text != "-";
    is_etag.then(|| text.to_owned())
}

/// Reads an MD5 in hex, as most servers give it for a part.
fn md5(etag: &str) -> Option<Digest> {
    Digest::of_hex(Algorithm::Md5, etag)
}

/// Reads what an earlier run has noted; `None` where that was another number of parts, or of another size.
fn restore(record: &str, part_size: u64, count: usize) -> Option<Vec<Option<Tag>>> {
    let mut words = record.split(' ');
    let is_same = words.next()?.parse() == Ok(part_size);
    let tag = |word: &str| match word {
        "-" => Some(None),
        word => {
            let rest = word.strip_prefix(MARK);
            Some(Some(Tag {
                text: etag(rest.unwrap_or(word))?,
                is_md5: rest.is_none(),
            }))
        }
    };
    let tags: Vec<_> = words.map(tag).collect::<Option<_>>()?;
    Some(tags).filter(|tags| is_same && tags.len() == count)
}
