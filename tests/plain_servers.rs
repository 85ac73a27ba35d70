//! The dialect `plain` with servers of other people, and with pages by other people's frameworks. `make servers` fetches them.

#[path = "c/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "plain_servers/old_page.rs"]
mod old_page;
#[path = "common/forms.rs"]
mod scene;
#[path = "common/steps.rs"]
mod steps;

use resup::{Client, Error, ErrorKind, RefusalKind, Upload};
use resup_test_support::files;
use resup_test_support::forms::{FormApp, Kind, ALL};
use resup_test_support::http_proxy::{Fault, HttpProxy};
use scene::Scene;

impl Scene {
    fn run(&self, size: u64) -> Result<Upload, Error> {
        let client = self.client();
        client.set_cookie("user", "joe").unwrap();
        let mut upload = Upload::from_file(&client, self.file(size)).unwrap();
        upload.set_field("who", "Joe").unwrap();
        upload.run().map(|()| upload)
    }

    /// Gives how many requests passed.
    fn requests(&self) -> usize {
        self.proxy.exchanges().len()
    }
}

fn scenes() -> impl Iterator<Item = Scene> {
    let scenes = ALL.into_iter();
    scenes.filter_map(|kind| Scene::with(kind, |_, _| Fault::None))
}

#[test]
fn every_server_gets_files_of_every_size() {
    for scene in scenes() {
        let kind = scene.kind;
        // The page in PHP takes 2 MiB.
        for size in [0, 1, 70_000, 2_000_000, 9_000_000] {
            if kind == Kind::Php && size > 2 << 20 {
                continue;
            }
            let upload = scene
                .run(size)
                .unwrap_or_else(|e| panic!("{kind:?}, {size} bytes: {e}"));
            let stored = scene.server.stored_file(&format!("file_{size}.bin"));
            files::assert_same(&scene.file(size), &stored);
            assert_eq!(upload.remote().protocol(), Some("plain"));
        }
    }
}

#[test]
fn a_lost_answer_stores_nothing_twice() {
    for kind in ALL {
        let Some(scene) = Scene::with(kind, |_, _| Fault::LoseResponse) else {
            continue;
        };
        let error = scene.run(70_000).unwrap_err();
        assert!(
            matches!(error, Error::MayBeStored { .. }),
            "{kind:?}: {error}"
        );
        assert_eq!(scene.requests(), 1, "{kind:?}");
        assert_eq!(scene.server.files(), ["file_70000.bin"], "{kind:?}");
    }
}

#[test]
fn a_server_that_comes_back_gets_the_file() {
    for mut scene in scenes() {
        let kind = scene.kind;
        scene.server.kill();
        let error = scene.run(1000).unwrap_err();
        // The proxy has taken the request, and closes.
        assert!(
            !scene.server.stored_file("file_1000.bin").exists(),
            "{kind:?}: {error}"
        );
        scene.server.restart();
        let proxy = HttpProxy::start(scene.server.addr(), |_, _| Fault::None);
        let scene = Scene { proxy, ..scene };
        scene.run(1000).unwrap();
        files::assert_same(
            &scene.file(1000),
            &scene.server.stored_file("file_1000.bin"),
        );
    }
}

#[test]
fn a_refusal_is_none_of_success() {
    // It says so with status 200.
    if let Some(scene) = Scene::with(Kind::Php, |_, _| Fault::None) {
        let told = scene.run(3_000_000).unwrap_err().to_string();
        assert!(told.contains("success needs text:Thank you"), "{told}");
        assert!(told.contains("too large"), "{told}");
        assert!(scene.server.files().is_empty());
    }
    // Who is not logged in is sent to the login.
    if let Some(scene) = Scene::with(Kind::Django, |_, _| Fault::None) {
        let client = Client::new(&scene.server.endpoint_at(scene.proxy.addr())).unwrap();
        client.set_dialect(&scene.server.dialect()).unwrap();
        let mut upload = Upload::from_file(&client, scene.file(100)).unwrap();
        let error = upload.run().unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Refused(RefusalKind::NotAllowed),
            "{error}"
        );
        assert!(error.to_string().contains("/accounts/login/"), "{error}");
        assert!(scene.server.files().is_empty());
    }
    // A field that the page does not know.
    if let Some(scene) = Scene::with(Kind::Multer, |_, _| Fault::None) {
        let client = scene.client();
        client.set_dialect("plain").unwrap();
        client.set_retry_limit(1);
        let mut upload = Upload::from_file(&client, scene.file(100)).unwrap();
        upload.run().unwrap_err();
        assert!(scene.server.files().is_empty());
    }
}

#[test]
fn a_file_over_the_limits_of_spring_is_told_as_too_large() {
    let Some(scene) = Scene::with(Kind::Spring, |_, _| Fault::None) else {
        return;
    };
    let client = Client::new(&scene.server.endpoint_at(scene.server.addr())).unwrap();
    client.set_dialect("plain").unwrap();
    // Over the limit of a file, over that of a request, and more than Tomcat reads of such a request.
    for size in [10_600_000, 11_600_000, 30_000_000] {
        let mut upload = Upload::from_file(&client, scene.file(size)).unwrap();
        let error = upload.run().unwrap_err();
        let kind = ErrorKind::Refused(RefusalKind::TooLarge);
        assert_eq!(error.kind(), kind, "{size} bytes: {error}");
        let told = format!("it takes no file of {size} bytes");
        assert!(error.to_string().contains(&told), "{error}");
        assert!(scene.server.files().is_empty());
    }
}

#[test]
fn the_guides_steps_bring_files_to_each_kind_of_page() {
    for (kind, heading) in [
        (
            Kind::Php,
            "… a page with a form, in PHP, Django, Flask, Express or whatever",
        ),
        (Kind::Spring, "… a controller by Spring Boot"),
    ] {
        let Some(server) = FormApp::start(kind) else {
            continue;
        };
        let endpoint = server.endpoint_at(server.addr());
        if let Some(steps) = steps::take("my-server.md", heading, &endpoint) {
            let names = server.files().into_iter();
            steps.check(&names.map(|it| server.stored_file(&it)).collect::<Vec<_>>());
        }
    }
}
