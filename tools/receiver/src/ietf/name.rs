//! The file's name, from the header Content-Disposition (RFC 6266).

use axum::http::{header, HeaderMap};
use percent_encoding::percent_decode_str;

use crate::http::parameters::parameter;
use crate::http::reply::{excerpt, Reply};

/// Reads the name; `None` when there is none.
pub fn read(headers: &HeaderMap) -> Result<Option<String>, Reply> {
    let mut lines = headers.get_all(header::CONTENT_DISPOSITION).iter();
    let line = match (lines.next(), lines.next()) {
        (None, _) => return Ok(None),
        (Some(line), None) => line.as_bytes(),
        (Some(_), Some(_)) => {
            return Err(Reply::bad_request(
                "the header Content-Disposition comes twice",
            ))
        }
    };
    let name = match parameter(line, "filename*").and_then(|it| it.map(extended).transpose()) {
        Ok(Some(name)) => Ok(Some(name)),
        Ok(None) => parameter(line, "filename").and_then(|it| it.map(plain).transpose()),
        Err(why) => Err(why),
    };
    let name = name.map_err(|why| {
        let text = String::from_utf8_lossy(line);
        let text = excerpt(&text);
        Reply::bad_request(format!(
            "Content-Disposition '{}': {why}",
            text.escape_debug()
        ))
    })?;
    Ok(name.filter(|name| !name.is_empty()))
}

fn plain(value: Vec<u8>) -> Result<String, &'static str> {
    String::from_utf8(value).map_err(|_| "the name is not UTF-8")
}

/// Reads a value of RFC 8187, such as `UTF-8''%E6%96%87`.
fn extended(value: Vec<u8>) -> Result<String, &'static str> {
    let text = plain(value)?;
    let mut parts = text.splitn(3, '\'');
    let (charset, _, name) = (parts.next(), parts.next(), parts.next());
    let name = name.filter(|_| charset.is_some_and(|it| it.eq_ignore_ascii_case("utf-8")));
    let name = name.ok_or("filename* does not begin with UTF-8''")?;
    let decoded = percent_decode_str(name).decode_utf8();
    decoded.map(Into::into).map_err(|_| "the name is not UTF-8")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn name(value: &str) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        headers.insert(header::CONTENT_DISPOSITION, value);
        read(&headers).map_err(drop)
    }

    #[test]
    fn the_extended_name_goes_before_the_plain_one() {
        let own = |name: &str| Ok(Some(name.to_owned()));
        assert_eq!(name("inline; filename=\"a b.txt\""), own("a b.txt"));
        assert_eq!(
            name("attachment; filename=x; filename*=UTF-8''%E6%96%87.txt"),
            own("文.txt")
        );
        assert_eq!(name("inline; filename*=utf-8'en'a%2Fb"), own("a/b"));
        assert_eq!(name("inline"), Ok(None));
        assert_eq!(name("inline; filename=\"\""), Ok(None));
        for bad in [
            "inline; filename*=a",
            "inline; filename*=UTF-8''%FF",
            "x; filename=a; filename=b",
        ] {
            assert_eq!(name(bad), Err(()), "{bad}");
        }
    }
}
