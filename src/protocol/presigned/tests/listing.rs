//! The list of parts that the storage has.

use super::*;

fn part(number: u32, tag: &str, size: u64) -> String {
    let tag = tag.replace('"', "&quot;");
    format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag><Size>{size}</Size></Part>")
}

fn listed(parts: &[String], more: &str) -> String {
    format!(
        "<ListPartsResult xmlns=\"x\">{}{more}</ListPartsResult>",
        parts.concat()
    )
}

fn located(spec: &Spec, record: Option<&str>, bodies: &[&str]) -> (Result<Answer, Error>, String) {
    let parts = parts(spec, record);
    let script = Script::new(&vec![OK; bodies.len()]).with_bodies(bodies);
    let answer = parts.locate(&script, &script::job(), None);
    script.seen();
    (answer, parts.record().unwrap())
}

#[test]
fn the_list_of_the_server_counts_and_what_nothing_proves_is_compared() {
    let spec = spec(LIST);
    let ours = [
        part(1, TAGS[0], 4),
        part(2, TAGS[1], 4),
        part(3, TAGS[2], 2),
    ];
    // Known ones are held, others are compared by their MD5.
    let (answer, noted) = located(
        &spec,
        Some(&record([true, false, false])),
        &[&listed(&ours, "")],
    );
    let answer = answer.unwrap();
    assert_eq!(held(&answer), [(0, 4)]);
    let ranges: Vec<_> = answer
        .ranges
        .iter()
        .map(|it| (it.from, it.to, it.digest.hex()))
        .collect();
    let md5 = |index: usize| TAGS[index].trim_matches('"').to_owned();
    assert_eq!(ranges, [(4, 8, md5(1)), (8, 10, md5(2))]);
    assert_eq!(
        noted,
        record([true, false, false]),
        "they are not proved yet"
    );
    // One that is missing, or has another ETag or size, is sent again.
    let other = "\"00000000000000000000000000000000\"";
    for (list, is_held, compared) in [
        (listed(&ours[1..], ""), vec![(4, 10)], 0),
        (
            listed(&[part(1, other, 4), part(2, TAGS[1], 4)], ""),
            vec![(4, 8)],
            1,
        ),
        (
            listed(&[part(1, "\"odd\"", 4), part(2, TAGS[1], 4)], ""),
            vec![(4, 8)],
            0,
        ),
        (
            listed(&[part(1, TAGS[0], 5), part(2, TAGS[1], 4)], ""),
            vec![(4, 8)],
            0,
        ),
        (listed(&[], ""), vec![], 0),
        (
            listed(&ours, "").replace("Result", "Response"),
            vec![(0, 10)],
            0,
        ),
        // What a list does not tell of stays.
        (
            listed(&ours[1..2], "<IsTruncated>true</IsTruncated>"),
            vec![(4, 10)],
            0,
        ),
        (
            format!("<ListPartsResult>{}<Part><Pa", ours[0]),
            vec![(0, 10)],
            0,
        ),
        (
            listed(
                &[part(0, TAGS[0], 4), part(9, TAGS[0], 4), ours[0].clone()],
                "",
            ),
            vec![(0, 4)],
            0,
        ),
    ] {
        let answer = located(&spec, Some(&all()), &[&list]).0.unwrap();
        assert_eq!(
            (held(&answer), answer.ranges.len()),
            (is_held, compared),
            "{list}"
        );
    }
    // Something else answers.
    for body in ["<html></html>", "", "<Error><Code>Odd</Code></Error>"] {
        let error = located(&spec, Some(&all()), &[body]).0.unwrap_err();
        assert!(shown(&error).contains("no list of parts"), "{error}");
    }
}

#[test]
fn a_long_list_has_several_urls() {
    let spec = spec(", \"list\": [\"http://s/l/1\", \"http://s/l/2\"]");
    let first = listed(&[part(1, TAGS[0], 4)], "<IsTruncated>true</IsTruncated>");
    let second = listed(&[part(2, TAGS[1], 4)], "<IsTruncated>false</IsTruncated>");
    let answer = located(&spec, Some(&all()), &[&first, &second]).0.unwrap();
    assert_eq!(held(&answer), [(0, 8)]);
    let answer = located(&spec, Some(&all()), &[&second]).0.unwrap();
    assert_eq!(held(&answer), [(4, 8)]);
    // Between two lists there are parts that neither tells of: the first one ended early.
    let marked = |marker: u32| {
        let more = format!("<PartNumberMarker>{marker}</PartNumberMarker>");
        listed(&[part(3, TAGS[2], 2)], &more)
    };
    let answer = located(&spec, Some(&all()), &[&first, &marked(2)]).0;
    assert_eq!(held(&answer.unwrap()), [(0, 10)]);
    let answer = located(&spec, Some(&all()), &[&first, &marked(1)]).0;
    assert_eq!(held(&answer.unwrap()), [(0, 4), (8, 10)]);
    // A wrong marker takes nothing back.
    let answer = located(&spec, Some(&all()), &[&first, &marked(0)]).0;
    assert_eq!(held(&answer.unwrap()), [(0, 4), (8, 10)]);
}

#[test]
fn an_upload_that_is_gone_is_completed_again_or_an_error() {
    let spec = spec(LIST);
    let gone: Reply<'_> = (404, &[]);
    let script = || Script::new(&[gone]).with_body(GONE);
    let answer = parts(&spec, Some(&all())).locate(&script(), &script::job(), None);
    assert_eq!(held(&answer.unwrap()), [(0, 10)], "the completion tells");
    let some = parts(&spec, Some(&record([true, true, false])));
    let error = some.locate(&script(), &script::job(), None).unwrap_err();
    assert!(
        shown(&error).contains("the list of parts; there is no such upload"),
        "{error}"
    );
    assert!(!error.is_passing());
    let error = send(&some, &script(), 8, LAST).unwrap_err();
    assert!(
        shown(&error).contains("part 3 of 3; there is no such upload"),
        "{error}"
    );
}
