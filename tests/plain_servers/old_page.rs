//! A page in JSP as people wrote it in 2006: commons-fileupload, parameters in the address, GBK, and status 200 for everything.

use resup::{Error, Upload};
use resup_test_support::files;
use resup_test_support::forms::{FormApp, Kind};
use resup_test_support::http_proxy::Fault;

use crate::{steps, Scene};

/// The section of the guide about it.
const SECTION: &str = "A page that takes the file at once";

/// Uploads a file under a name into a directory.
fn run(scene: &Scene, size: u64, name: &str) -> Result<(), Error> {
    let mut upload = Upload::from_file(&scene.client(), scene.file(size)).unwrap();
    upload.set_name(name).unwrap();
    upload.set_directory("照片/二〇〇六").unwrap();
    upload.run()
}

#[test]
fn the_guides_steps_bring_files_under_their_names() {
    let Some(server) = FormApp::start(Kind::Jsp) else {
        return;
    };
    let endpoint = server.endpoint_at(server.addr());
    if let Some(steps) = steps::take("old-pages.md", SECTION, &endpoint) {
        for file in &steps.files {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(name.ends_with("年度报告.doc"));
            files::assert_same(file, &server.stored_file(name));
        }
    }
}

#[test]
fn names_arrive_as_they_are_and_what_the_page_says_can_be_read() {
    let Some(scene) = Scene::with(Kind::Jsp, |_, _| Fault::None) else {
        return;
    };
    run(&scene, 70_000, "年度报告.doc").unwrap();
    let stored = scene.server.stored_file("照片/二〇〇六/年度报告.doc");
    files::assert_same(&scene.file(70_000), &stored);
    let told = run(&scene, 1000, "年度报告.doc").unwrap_err().to_string();
    assert!(told.contains("ERROR: 文件已存在: 年度报告.doc"), "{told}");
    files::assert_same(&scene.file(70_000), &stored);
    let told = run(&scene, 12_000_000, "大.doc").unwrap_err().to_string();
    assert!(told.contains("ERROR: 文件太大"), "{told}");
    // GBK lacks it. A browser writes the same.
    run(&scene, 1000, "😀.doc").unwrap();
    let stored = scene.server.stored_file("照片/二〇〇六/&#128512;.doc");
    files::assert_same(&scene.file(1000), &stored);
}

#[test]
fn a_cut_on_the_way_leaves_nothing_and_sends_nothing_twice() {
    let Some(scene) = Scene::with(Kind::Jsp, |_, _| Fault::CutBody(1_000_000)) else {
        return;
    };
    let error = run(&scene, 9_000_000, "年度报告.doc").unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, Error::MayBeStored { .. }), "{told}");
    assert_eq!(scene.requests(), 1);
    assert!(!scene
        .server
        .stored_file("照片/二〇〇六/年度报告.doc")
        .exists());
}
