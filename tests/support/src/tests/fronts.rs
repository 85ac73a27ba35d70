//! Servers with TLS, each tested with curl.

use std::net::SocketAddr;

use crate::haproxy::HaProxy;
use crate::model::ModelReceiver;
use crate::nginx::Nginx;
use crate::scripted::{ScriptedServer, Step};
use crate::tls::{Authority, Certificate, Identity};
use crate::tools;

/// Asks a server, trusting this authority only, with or without a client certificate; returns what `curl` does.
fn ask(addr: SocketAddr, ca_pem: &str, certificate: Option<&Certificate>) -> String {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, ca_pem).unwrap();
    let url = format!("https://{addr}/");
    let mut args = vec!["--cacert", ca.to_str().unwrap(), url.as_str()];
    let files = certificate.map(|certificate| certificate.write(dir.path(), "client"));
    if let Some((pem, key)) = &files {
        args.extend([
            "--cert",
            pem.to_str().unwrap(),
            "--key",
            key.to_str().unwrap(),
        ]);
    }
    super::curl(&args)
}

#[test]
fn curl_accepts_right_certificates_and_refuses_wrong_ones() {
    if tools::find("curl").is_none() {
        return;
    }
    let authority = Authority::new();
    for (certificate, complaint) in [
        (authority.certify(), "400"),
        (
            authority.certify_named(&["another.host"]),
            "no alternative certificate",
        ),
        (authority.certify_for_2019(), "expired"),
        (Authority::new().certify(), "unable to get local issuer"),
        (Certificate::self_signed(), "self-signed certificate"),
    ] {
        let server = ModelReceiver::start_tls(Identity::of(certificate, &authority));
        let response = ask(server.addr(), authority.pem(), None);
        let complaint = response.contains(complaint);
        assert!(complaint, "{response}");
    }
}

#[test]
fn every_server_requires_client_certificates() {
    if tools::find("curl").is_none() {
        return;
    }
    let (authority, clients) = (Authority::new(), Authority::new());
    let identity = Identity::of(authority.certify(), &authority).for_clients_of(&clients);
    let (right, wrong) = (clients.certify(), authority.certify());
    let behind = ScriptedServer::start(vec![Step::reply(404, "{}")]);
    let model = ModelReceiver::start_tls(identity.clone());
    let nginx = Nginx::start_tls(behind.addr(), "", &identity);
    let haproxy = HaProxy::start(behind.addr(), &identity);
    let mut servers = vec![(model.addr(), "400", "alert")];
    servers.extend(nginx.iter().map(|nginx| (nginx.addr(), "404", "400")));
    servers.extend(
        haproxy
            .iter()
            .map(|haproxy| (haproxy.addr(), "404", "alert")),
    );
    for (addr, response, refusal) in servers {
        let ask = |certificate| ask(addr, authority.pem(), certificate);
        assert_eq!(ask(Some(&right)), response);
        for certificate in [None, Some(&wrong)] {
            let response = ask(certificate);
            assert!(response.contains(refusal), "{response}");
        }
    }
    if let Some(haproxy) = haproxy {
        assert!(
            haproxy.log().contains("SSL handshake failure"),
            "{}",
            haproxy.log()
        );
    }
}
