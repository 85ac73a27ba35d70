//! What an object store has of an unfinished upload.
//!
//! The bytes are in the parts of a multipart upload, all of one size, and in one more object, the tail, since a part cannot
//! be small. The tail is put anew at the end of a request, under a new key. Until then the old one is there, so that an upload
//! can go back to where the request began.
//!
//! A receiver that has lost an upload to another one may still put the part that it was about to put, and a part that is put
//! again replaces the first one. So the number of that part is left out, and no number is used twice from then on.

use serde::{Deserialize, Serialize};

/// The size of a part, unless the file is too large for so many of them.
pub const PART: u64 = 8 * 1024 * 1024;
/// The largest number of parts.
pub const MOST_PARTS: u64 = 10_000;
/// How many numbers of parts may be left out.
const SPARE: u64 = 500;
/// Larger parts have whole mebibytes.
const UNIT: u64 = 1024 * 1024;

/// The bytes of an unfinished upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// The key of the object that is being made.
    pub key: String,
    /// The id of the multipart upload; `None` before there is one.
    pub upload: Option<String>,
    /// The size of each part.
    pub size: u64,
    /// The parts, by the names that the store has given them. A number that is left out has an empty one.
    pub parts: Vec<String>,
    /// The bytes in the tail.
    pub tail: Tail,
    /// Whether the object is made, with all bytes.
    pub is_whole: bool,
}

/// Bytes that are no part yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// How many parts they come behind.
    pub behind: usize,
    /// How many they are.
    pub length: u64,
    /// What no other tail has in its key, so that a late request cannot put other bytes there. Older ones have nothing.
    #[serde(default)]
    pub mark: String,
}

impl Object {
    /// Begins one for a file of this size, as far as that is known.
    pub fn new(key: String, size: u64) -> Self {
        Self {
            key,
            upload: None,
            size: (size.div_ceil(MOST_PARTS - SPARE))
                .next_multiple_of(UNIT)
                .max(PART),
            parts: Vec::new(),
            tail: Tail::default(),
            is_whole: false,
        }
    }

    /// The number of parts.
    pub fn count(&self) -> usize {
        self.numbered().count()
    }

    /// The number of bytes in the parts.
    pub fn in_parts(&self) -> u64 {
        self.count() as u64 * self.size
    }

    /// The parts, with their numbers, which begin at 0.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.parts.iter().map(String::as_str).enumerate();
        all.filter(|(_, name)| !name.is_empty())
    }

    /// Leaves out the number of the next part.
    pub fn leave_out(&mut self) {
        self.parts.push(String::new());
    }

    /// Drops what is behind the first `offset` bytes; `false` when the store does not have these any more by themselves.
    pub fn go_back(&mut self, offset: u64) -> bool {
        let whole = usize::try_from(offset / self.size).unwrap_or(usize::MAX);
        let parts = self.count().min(whole);
        let rest = offset - parts as u64 * self.size;
        let has_rest = rest == 0 || (self.tail.behind == parts && rest <= self.tail.length);
        let is_kept = has_rest && !(self.is_whole && offset > 0);
        if is_kept {
            self.drop_behind(parts);
            self.is_whole = false;
        }
        is_kept
    }

    /// Drops all but the first parts.
    fn drop_behind(&mut self, count: usize) {
        if self.count() == self.parts.len() {
            return self.parts.truncate(count);
        }
        let named = self.parts.iter_mut().filter(|name| !name.is_empty());
        named.skip(count).for_each(String::clear);
    }

    /// Writes it as text, for the database.
    pub fn save(this: Option<&Self>) -> String {
        let text = this.map(|this| serde_json::to_string(this).expect("text and numbers"));
        text.unwrap_or_default()
    }

    /// Reads what [`save`](Self::save) wrote; `None` when the text is not that.
    pub fn restore(text: &str) -> Option<Option<Self>> {
        match text {
            "" => Some(None),
            text => serde_json::from_str(text).ok().map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_has_more_parts_than_a_store_takes() {
        let mebibyte = 1 << 20;
        for size in [
            0,
            1,
            PART,
            MOST_PARTS * PART,
            MOST_PARTS * PART + 1,
            5 << 40,
        ] {
            let part = Object::new(String::new(), size).size;
            let most = MOST_PARTS - SPARE;
            assert!(part >= PART && part.is_multiple_of(mebibyte) && size.div_ceil(part) <= most);
            assert!(part == PART || (part - mebibyte) * most < size);
        }
    }

    #[test]
    fn a_number_that_was_left_out_is_never_used() {
        let mut object = Object::new("files/a".to_owned(), 10 * PART);
        object.parts = vec!["a".to_owned(), "b".to_owned()];
        object.leave_out();
        object.parts.push("d".to_owned());
        assert_eq!((object.count(), object.in_parts()), (3, 3 * PART));
        assert!(object.go_back(PART));
        // A receiver that has lost it may have put the third one, and this one the fourth.
        assert_eq!(object.parts, ["a", "", "", ""]);
        object.parts.push("e".to_owned());
        assert_eq!(object.numbered().collect::<Vec<_>>(), [(0, "a"), (4, "e")]);
        assert!(object.go_back(0));
        assert_eq!((object.count(), object.parts.len()), (0, 5));
    }

    #[test]
    fn it_goes_back_to_parts_and_to_the_tail_and_nowhere_else() {
        let mut full = Object::new("files/a".to_owned(), 10 * PART);
        full.upload = Some("id".to_owned());
        full.parts = vec!["a".to_owned(), "b".to_owned()];
        full.tail = Tail {
            behind: 1,
            length: 100,
            mark: String::new(),
        };
        for (offset, kept) in [
            (2 * PART, Some(2)),
            (PART + 101, None),
            (PART + 100, Some(1)),
            (PART + 1, Some(1)),
            (PART, Some(1)),
            (PART - 1, None),
            (1, None),
            (0, Some(0)),
        ] {
            let mut back = full.clone();
            let is_kept = back.go_back(offset);
            assert_eq!(is_kept.then_some(back.parts.len()), kept, "{offset}");
            assert!(is_kept || back == full);
        }
    }

    #[test]
    fn what_is_saved_is_restored() {
        let object = Object::new("files/\"ü\n".to_owned(), 1);
        for object in [None, Some(object)] {
            let text = Object::save(object.as_ref());
            assert_eq!(Object::restore(&text), Some(object));
        }
        assert_eq!(Object::restore("{}"), None);
        let old = r#"{"key":"files/a","upload":null,"size":8388608,"parts":[],"tail":{"behind":0,"length":5},"is_whole":false}"#;
        let old = Object::restore(old).unwrap().unwrap();
        assert_eq!((old.tail.length, &*old.tail.mark), (5, ""));
    }
}
