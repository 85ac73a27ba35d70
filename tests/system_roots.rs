//! The system's root certificates are read once a process. (So this file has one test.)

use std::{env, fs};

use resup::{Client, Upload};
use resup_test_support::model::ModelReceiver;
use resup_test_support::tls::{Authority, Identity};

#[test]
fn the_roots_of_the_system_are_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    let authority = Authority::new();
    fs::write(&roots, authority.pem()).unwrap();
    env::set_var("SSL_CERT_FILE", &roots);
    env::set_var("SSL_CERT_DIR", folder.path().join("none"));
    let receiver = ModelReceiver::start_tls(Identity::of(authority.certify(), &authority));

    let upload = |name| {
        let client = Client::new(&receiver.endpoint()).unwrap();
        client.set_retry_limit(0);
        Upload::from_memory(&client, vec![1; 1000], name)
            .unwrap()
            .run()
    };
    upload("first").unwrap();
    // A client that read them again would find none.
    fs::remove_file(&roots).unwrap();
    upload("second").unwrap();
}
