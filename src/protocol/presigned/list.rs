//! The list of the parts that are there, and taking them back.

use super::{memory, xml, Presigned};
use crate::error::Error;
use crate::http::{Exchange, Response};

const LIST: &str = "the list of parts";

/// Parts of a list, each with its index, ETag and size.
type Listed = Vec<(usize, String, u64)>;

impl Presigned<'_> {
    /// Asks the server which parts it has, where there is a URL for that. If not, what is known counts.
    pub(super) fn ask(&self, exchange: &dyn Exchange) -> Result<(), Error> {
        let mut end = 0;
        for (number, url) in self.spec.list.iter().enumerate() {
            // No late answer to an earlier request is on a new connection.
            if number == 0 {
                exchange.renew();
            }
            let response = exchange.exchange(Self::request("GET", url, None))?;
            if response.status != 200 {
                let error = self.refusal(&response, LIST);
                // Whether the file was made of them, the completion tells.
                return match self.is_gone(&response) && self.memory().may_be_complete {
                    true => Ok(()),
                    false => Err(error),
                };
            }
            let (parts, begin, is_last) = self.read(&response)?;
            // A list may end before the next one begins: it was cut, or the server's has fewer parts than were asked for.
            let begin = begin.max(end);
            let last = parts.iter().map(|(index, _, _)| index + 1).max();
            end = match is_last {
                true => self.spec.parts.len(),
                false => last.unwrap_or(begin),
            };
            let length = |index| {
                let (from, to) = self.bounds(index);
                to - from
            };
            let mut memory = self.memory();
            memory.has_answered = true;
            memory.list(&parts, (begin, end), length);
            if is_last {
                break;
            }
        }
        Ok(())
    }

    /// Reads a list. Gives its parts, the index of the first that it tells of, and whether it tells of the last one, too.
    fn read(&self, response: &Response) -> Result<(Listed, usize, bool), Error> {
        let mut parts = Vec::new();
        let text = String::from_utf8_lossy(&response.body);
        // moto calls it so.
        if !matches!(
            xml::beginning(&text),
            Some("ListPartsResult" | "ListPartsResponse")
        ) {
            return Err(Error::bad_response(
                "it is no list of parts (ListPartsResult), which the URL for the key \"list\" has to give",
            ));
        }
        for part in xml::elements(&text, "Part") {
            let number = |name| xml::value(part, name).and_then(|it| it.parse::<u64>().ok());
            let etag = xml::value(part, "ETag").and_then(|etag| memory::etag(&etag));
            let index =
                number("PartNumber").and_then(|it| usize::try_from(it.checked_sub(1)?).ok());
            if let (Some(index), Some(etag), Some(size)) = (index, etag, number("Size")) {
                if index < self.spec.parts.len() {
                    parts.push((index, etag, size));
                }
            }
        }
        let is_whole = !response.is_cut && xml::root(&text).is_some();
        let goes_on = xml::value(&text, "IsTruncated");
        let goes_on = goes_on.is_some_and(|it| it.eq_ignore_ascii_case("true"));
        let begin = xml::value(&text, "PartNumberMarker").and_then(|it| it.parse().ok());
        Ok((parts, begin.unwrap_or(0), is_whole && !goes_on))
    }

    /// Takes the upload back.
    pub(super) fn abort(&self, exchange: &dyn Exchange) -> Result<(), Error> {
        let Some(url) = &self.spec.abort else {
            return Err(Error::NotDiscarded {
                why: "the parts have no URL for the key \"abort\"; what the server has of the file stays there, until it is \
                      taken back there"
                    .to_owned(),
            });
        };
        let response = exchange.exchange(Self::request("DELETE", url, None))?;
        match response.status {
            200..=299 | 404 => Ok(()),
            _ => Err(self.refusal(&response, "the request to abort")),
        }
    }
}
