//! The charset of a form's texts. All but UTF-8 need the feature `charsets`, which brings the tables of browsers
//! (some 200 KiB).

use std::borrow::Cow;

#[cfg(feature = "charsets")]
use encoding_rs::{Encoding, UTF_8};

#[cfg(feature = "dialect")]
use crate::http::Response;

/// A charset, UTF-8 by default.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "charsets"), derive(Default))]
pub(crate) struct Charset {
    #[cfg(feature = "charsets")]
    encoding: &'static Encoding,
}

#[cfg(feature = "charsets")]
impl Default for Charset {
    fn default() -> Self {
        Charset { encoding: UTF_8 }
    }
}

#[cfg(feature = "charsets")]
impl Charset {
    /// Finds a charset by one of its names. The error says what it may be.
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let encoding = Encoding::for_label_no_replacement(name.as_bytes());
        // No page sends UTF-16, whatever it is written in.
        let encoding = encoding.map(Encoding::output_encoding);
        // In ISO-2022-JP a character may have the byte of a quotation mark.
        let found = encoding.filter(|it| it.is_ascii_compatible());
        let found = found.map(|encoding| Charset { encoding });
        found.ok_or(
            "the name of a charset that browsers know, such as gbk, big5 or shift_jis".to_owned(),
        )
    }

    /// Writes a text. Characters that the charset lacks become `&#NUMBER;`, as browsers write them.
    pub(crate) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        self.encoding.encode(text).0
    }

    /// Gives a response with its body in UTF-8. It is read by its byte order mark, by the charset that the response
    /// names, or else by this one. JSON that names none is in UTF-8, if that can be.
    pub(crate) fn read(self, mut response: Response) -> Response {
        let named = response.charset();
        let own = named.and_then(|name| Encoding::for_label_no_replacement(name.as_bytes()));
        let encoding = own.unwrap_or_else(|| {
            let is_utf8 = is_json(&response) && std::str::from_utf8(&response.body).is_ok();
            if is_utf8 {
                UTF_8
            } else {
                self.encoding
            }
        });
        if encoding != UTF_8 {
            let (text, ..) = encoding.decode(&response.body);
            response.body = text.into_owned().into_bytes();
        }
        response
    }
}

/// Whether a response says that its body is JSON.
#[cfg(feature = "charsets")]
fn is_json(response: &Response) -> bool {
    let media_type = response.values("content-type").next();
    media_type.is_some_and(|it| {
        let name = it.split(';').next().unwrap_or_default().trim();
        name.to_ascii_lowercase().ends_with("json")
    })
}

#[cfg(not(feature = "charsets"))]
impl Charset {
    /// Takes UTF-8. The error says why it may be nothing else.
    #[cfg(feature = "dialect")]
    pub(crate) fn find(name: &str) -> Result<Self, String> {
        let is_utf8 = ["utf-8", "utf8"]
            .iter()
            .any(|it| name.eq_ignore_ascii_case(it));
        let found = is_utf8.then_some(Charset {});
        found.ok_or(
            "utf-8: this build of the library has no other, since its feature \"charsets\" is off"
                .to_owned(),
        )
    }

    /// Writes a text.
    pub(crate) fn encode(self, text: &str) -> Cow<'_, [u8]> {
        Cow::Borrowed(text.as_bytes())
    }

    /// Gives a response as it is.
    #[cfg(feature = "dialect")]
    pub(crate) fn read(self, response: Response) -> Response {
        response
    }
}
