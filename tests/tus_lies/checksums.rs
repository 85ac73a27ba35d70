//! Servers with checksums that are out of order for a moment, or believe bytes that they have not checked.

use resup_test_support::scripted::{End, Read, ScriptedServer, Step};

use crate::{answer, client, offsets, right, run, File, SEGMENT};

#[test]
fn a_server_that_is_out_of_order_for_a_moment_is_asked_again_what_it_can_do() {
    let mut asked = 0;
    let mut at = 0;
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "OPTIONS" => {
            asked += 1;
            let offers = [
                ("Tus-Version", "1.0.0"),
                ("Tus-Extension", "creation,checksum"),
                ("Tus-Checksum-Algorithm", "sha1"),
            ];
            answer(
                if asked == 1 { 503 } else { 204 },
                if asked == 1 { &[] } else { &offers },
            )
        }
        _ => right(head, &mut at),
    });
    let client = client(&server.endpoint());
    let checked = || {
        File::new().upload(&client).run().unwrap();
        let requests = server.requests();
        let patches = requests.iter().rev().take(3);
        patches
            .filter(|it| it.head.header("upload-checksum").is_some())
            .count()
    };
    assert_eq!([checked(), checked()], [0, 3]);
}

#[test]
fn bytes_whose_checksum_nobody_has_checked_are_not_gone_on_from() {
    // The server drops the bytes of a send that was cut, a moment after it has told them.
    let (mut at, mut patches, mut asked) = (0, 0, 0);
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "OPTIONS" => {
            let offers = [
                ("Tus-Version", "1.0.0"),
                ("Tus-Extension", "creation,checksum"),
                ("Tus-Checksum-Algorithm", "sha1"),
            ];
            answer(204, &offers)
        }
        "PATCH" => {
            patches += 1;
            match patches {
                2 => Step::new()
                    .read(Read::HeadAndBodyBytes(400))
                    .end(End::Reset),
                _ => right(head, &mut at),
            }
        }
        "HEAD" => {
            asked += 1;
            let offset = if asked == 1 { SEGMENT + 400 } else { SEGMENT };
            answer(200, &[("Upload-Offset", &offset.to_string())])
        }
        _ => right(head, &mut at),
    });
    run(&server).unwrap();
    assert_eq!(offsets(&server), [0, SEGMENT, SEGMENT, 2 * SEGMENT]);
}
