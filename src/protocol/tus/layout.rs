//! The sections of a file, and the URLs of their uploads.

/// The sections of a file whose URLs are known.
pub(super) struct Layout<'k> {
    pub key: &'k str,
    pub urls: Vec<&'k str>,
    pub length: u64,
    size: u64,
}

impl<'k> Layout<'k> {
    /// Reads a key; `None` if it is none of sections of a file of `size` bytes.
    pub fn of(key: Option<&'k str>, size: u64) -> Option<Self> {
        let key = key?;
        let urls: Vec<_> = key.split(' ').collect();
        let (length, count) = divide(size, urls.len() as u64);
        let is_right = urls.len() > 1 && count == urls.len() as u64;
        is_right.then_some(Layout {
            key,
            urls,
            length,
            size,
        })
    }

    /// Gives the URL, the beginning and the length of the section in which `offset` is.
    pub fn at(&self, offset: u64) -> Option<(&'k str, u64, u64)> {
        if offset >= self.size {
            return None;
        }
        let number = offset / self.length;
        let url = self.urls.get(usize::try_from(number).ok()?)?;
        let begin = number * self.length;
        Some((url, begin, self.length.min(self.size - begin)))
    }
}

/// Gives the length of sections, and how many there are, where there are to be at most `most`.
pub(super) fn divide(size: u64, most: u64) -> (u64, u64) {
    let length = size.div_ceil(most.max(1)).max(1);
    (length, size.div_ceil(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_cover_a_file_without_gaps() {
        for size in [2, 3, 13, 100, 16 << 20, u64::MAX / 3] {
            for most in 2..=12 {
                let (length, count) = divide(size, most);
                assert!(
                    count <= most && (count - 1) * length < size,
                    "{size} {most}"
                );
                assert_eq!(divide(size, count), (length, count), "{size} {most}");
                if count < 2 {
                    continue;
                }
                let key = vec!["u"; count as usize].join(" ");
                let layout = Layout::of(Some(&key), size).unwrap();
                let mut at = 0;
                while let Some((_, begin, length)) = layout.at(at) {
                    assert_eq!(begin, at);
                    assert!(length > 0);
                    at += length;
                }
                assert_eq!(at, size, "{most}");
            }
        }
    }

    #[test]
    fn a_key_of_a_whole_file_has_no_sections() {
        assert!(Layout::of(None, 100).is_none());
        assert!(Layout::of(Some("http://host/1"), 100).is_none());
        // Five sections of three bytes have more URLs.
        assert!(Layout::of(Some("a b c d e f g"), 9).is_none());
    }
}
