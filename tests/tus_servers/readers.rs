//! Streams that are read once, whose size only their end tells.

use resup::ErrorKind;
use resup_test_support::http_proxy::Fault;
use resup_test_support::tus::{Kind, Setup};

use crate::readers;
use crate::scene::{client, name, setups, Scene};
use crate::SIZE;

/// Gives the settings of each server that takes an upload of unknown size. That in Python wants the size
/// with the first bytes.
fn takers() -> impl Iterator<Item = Setup> {
    setups().filter(|setup| !matches!(setup.kind(), Kind::Python | Kind::Uploadx))
}

#[test]
fn streams_of_all_sizes_arrive() {
    takers().for_each(readers::all_sizes_arrive);
}

#[test]
fn lost_responses_lose_nothing_of_a_stream() {
    takers().for_each(|setup| readers::lost_responses_lose_nothing(&setup));
}

#[test]
fn cuts_at_random_bytes_lose_nothing_of_a_stream() {
    takers().for_each(|setup| readers::cuts_lose_nothing(&setup));
}

#[test]
fn damaged_bytes_of_a_stream_are_sent_again() {
    takers()
        .filter(|setup| setup.kind().has_checksums() && !setup.is_ietf())
        .for_each(readers::damaged_bytes_are_sent_again);
}

#[test]
fn another_run_of_a_stream_goes_on() {
    takers().for_each(readers::another_run_goes_on);
}

#[test]
fn the_default_finds_a_protocol_for_a_stream() {
    for setup in takers() {
        let title = name(&setup);
        let Some(scene) = Scene::with(setup, |_, _| Fault::None) else {
            continue;
        };
        let file = scene.file(SIZE);
        let mut upload = readers::upload(&client(&scene.endpoint()), &file);
        readers::run(&scene, &mut upload, &file);
        assert_eq!(upload.remote().protocol(), Some("tus"), "{title}");
        assert_eq!(scene.server.files().len(), 1, "{title}");
    }
}

#[test]
fn a_server_that_wants_the_size_with_the_first_bytes_takes_one_segment() {
    let Some(scene) = Scene::with(Setup::new(Kind::Python), |_, _| Fault::None) else {
        return;
    };
    let client = scene.client();
    for size in [0, 1, readers::SEGMENT - 1] {
        let file = scene.file(size);
        readers::run(&scene, &mut readers::upload(&client, &file), &file);
    }
    let error = readers::upload(&client, &scene.file(SIZE)).run();
    let words = error.unwrap_err().to_string();
    assert!(
        words.contains("it may want the size with the first bytes"),
        "{words}"
    );
}

#[test]
fn a_server_of_tus_that_needs_the_size_is_named() {
    let Some(scene) = Scene::with(Setup::new(Kind::Uploadx), |_, _| Fault::None) else {
        return;
    };
    let file = scene.file(SIZE);
    let error = readers::upload(&scene.client(), &file).run().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(
        error.to_string().contains("creation-defer-length"),
        "{error}"
    );
    assert!(scene.server.files().is_empty());
}
