//! Pages in another charset than UTF-8.

use super::why;

#[cfg(not(feature = "charsets"))]
#[test]
fn a_build_without_charsets_refuses_them_in_words() {
    let why = why(r#"{"base": "plain", "charset": "gbk"}"#);
    let parts = [
        "has \"gbk\" for the key \"charset\"; it may be utf-8",
        "feature \"charsets\" is off",
    ];
    assert!(parts.iter().all(|part| why.contains(part)), "{why}");
    super::Spec::read(r#"{"base": "plain", "charset": "UTF-8"}"#).unwrap();
}

#[cfg(feature = "charsets")]
mod with_tables {
    use std::cell::RefCell;

    use http::{header, HeaderValue};

    use super::super::{dialect, job, SegmentSize, Spec};
    use super::why;
    use crate::error::Error;
    use crate::http::{Body, Exchange, Request, Response};
    use crate::protocol::charset::Charset;
    use crate::protocol::dialect::finder::Finder;
    use crate::protocol::script::{segment, Bytes};
    use crate::protocol::{Job, Protocol};

    /// A page that keeps what it was sent, and answers with these bytes.
    struct Page {
        media_type: &'static str,
        answer: Vec<u8>,
        url: RefCell<String>,
        body: RefCell<Vec<u8>>,
    }

    impl Exchange for Page {
        fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
            *self.url.borrow_mut() = request.url;
            if let Some(Body::Stream { bytes, .. }) = request.body {
                bytes.read_to_end(&mut self.body.borrow_mut()).unwrap();
            }
            let media_type = HeaderValue::from_static(self.media_type);
            Ok(Response {
                status: 200,
                headers: [(header::CONTENT_TYPE, media_type)].into_iter().collect(),
                body: self.answer.clone(),
                ..Response::default()
            })
        }
    }

    /// Sends a file of one byte to a page; gives the request's URL and body, and how it ended.
    fn send(
        text: &str,
        media_type: &'static str,
        answer: &[u8],
    ) -> (String, Vec<u8>, Result<(), Error>) {
        let spec = Spec::read(text).unwrap();
        let job = Job {
            name: "文件😀.txt".to_owned(),
            dir: "照片".to_owned(),
            user: None,
            size: 1,
            ..job()
        };
        let page = Page {
            media_type,
            answer: answer.to_vec(),
            url: RefCell::default(),
            body: RefCell::default(),
        };
        let dialect = dialect(&spec, SegmentSize::Unlimited, &job).unwrap();
        let sent = dialect.send(&page, &job, segment("", 0, &mut Bytes(b"x")));
        (page.url.take(), page.body.take(), sent.map(drop))
    }

    fn contains(body: &[u8], part: &[u8]) -> bool {
        body.windows(part.len()).any(|it| it == part)
    }

    #[test]
    fn names_fields_and_the_query_are_in_the_pages_charset() {
        let text =
            r#"{"charset": "gb2312", "query": {"目录": "{dir}"}, "fields": {"名": "{name}"}}"#;
        let (url, body, sent) = send(text, "text/html", b"OK");
        sent.unwrap();
        assert!(url.ends_with("?%C4%BF%C2%BC=%D5%D5%C6%AC"), "{url}");
        // What the charset lacks is written as browsers do.
        let name = b"filename=\"\xce\xc4\xbc\xfe&#128512;.txt\"";
        let field = b"name=\"\xc3\xfb\"\r\n\r\n\xce\xc4\xbc\xfe&#128512;.txt\r\n";
        assert!(
            contains(&body, name) && contains(&body, field),
            "{body:02x?}"
        );
    }

    #[test]
    fn without_a_charset_all_is_utf_8() {
        for charset in ["", r#""charset": "utf-8", "#, r#""charset": "utf-16", "#] {
            let text = format!(r#"{{{charset}"query": {{"d": "{{dir}}"}}}}"#);
            let (url, body, sent) = send(&text, "text/html", b"OK");
            sent.unwrap();
            assert!(url.ends_with("?d=%E7%85%A7%E7%89%87"), "{url}");
            assert!(
                contains(&body, "filename=\"文件😀.txt\"".as_bytes()),
                "{charset}"
            );
        }
    }

    #[test]
    fn an_answer_is_read_by_the_charset_that_it_names_or_else_by_the_pages() {
        let full = (b"\xb4\xc5\xc5\xcc\xc2\xfa".as_slice(), "磁盘满".as_bytes());
        for (charset, media_type, answer) in [
            ("gbk", "text/html", full.0),
            ("gbk", "text/plain; Charset=\"GBK\"", full.0),
            ("gbk", "text/html;charset=utf-8", full.1),
            ("gbk", "text/html;charset=x-unknown", full.0),
            ("utf-8", "text/html;charset=gb2312", full.0),
            ("utf-8", "text/html", full.1),
        ] {
            let text = format!(
                r#"{{"charset": "{charset}", "query": {{"d": "{{dir}}"}}, "success": "text:成功"}}"#
            );
            let (_, _, sent) = send(&text, media_type, answer);
            let told = sent.unwrap_err().to_string();
            assert!(told.contains("磁盘满"), "{charset}, {media_type}: {told}");
            let text = text.replace("text:成功", "text:磁盘满");
            send(&text, media_type, answer).2.unwrap();
        }
    }

    #[test]
    fn json_is_in_utf_8_unless_it_is_not() {
        let utf8 = "{\"状态\": \"完成\"}".as_bytes();
        let old = b"{\"\xd7\xb4\xcc\xac\": \"\xcd\xea\xb3\xc9\"}";
        let marked = [b"\xef\xbb\xbf", utf8].concat();
        let wide: Vec<u8> = "{\"状态\": \"完成\"}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (media_type, answer) in [
            ("application/json", utf8),
            ("application/problem+json", utf8),
            ("Application/JSON;charset=gbk", old),
            // Not what its type says.
            ("application/json", old),
            ("text/html", old),
            ("text/html", &marked),
            ("text/html;charset=gbk", &marked),
            ("text/html;charset=utf-16", &wide),
        ] {
            let text =
                r#"{"charset": "gbk", "query": {"d": "{dir}"}, "success": "json:/状态=完成"}"#;
            let sent = send(text, media_type, answer).2;
            assert_eq!(sent, Ok(()), "{media_type}: {answer:02x?}");
        }
    }

    #[test]
    fn an_answer_that_is_cut_amid_a_character_is_believed_as_far_as_it_goes() {
        let response = |body: &[u8]| Response {
            body: body.to_vec(),
            is_cut: true,
            ..Response::default()
        };
        let gbk = Charset::find("gbk").unwrap();
        // The first byte of a character ends the number, and what the words are is not known.
        let read = gbk.read(response(b"length=12\xc5"));
        assert!(read.is_cut);
        let length = Finder::read("regex:length=(\\d+)").unwrap();
        assert_eq!(length.text(&read).as_deref(), Some("12"));
        let words = Finder::read("regex:=(.*)").unwrap();
        assert_eq!(words.text(&read), None);
        // More digits may come.
        assert_eq!(
            length.text(&gbk.read(response(b"\xc5\xcc length=12"))),
            None
        );
    }

    #[test]
    fn a_charset_that_no_browser_sends_names_in_is_refused() {
        for name in ["gkb", "iso-2022-jp", "hz-gb-2312", ""] {
            let why = why(&format!(r#"{{"charset": "{name}"}}"#));
            let due =
                format!("has \"{name}\" for the key \"charset\"; it may be the name of a charset");
            assert!(why.contains(&due), "{why}");
        }
    }
}
