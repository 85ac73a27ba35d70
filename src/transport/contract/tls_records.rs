//! TLS servers whose records come at an odd time.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use resup_test_support::tls::Identity;
use ring::aead;
use rustls::crypto::ring::{cipher_suite, default_provider};
use rustls::{ConnectionTrafficSecrets, ServerConfig, ServerConnection};

use super::*;

/// Makes the TLS 1.2 record, which no server of rustls sends, that asks for a new handshake, as the server's record `number`.
fn hello_request(secrets: ConnectionTrafficSecrets, number: u64) -> Vec<u8> {
    let ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv } = secrets else {
        panic!("another cipher suite");
    };
    let mut nonce: [u8; 12] = iv.as_ref().try_into().unwrap();
    for (byte, part) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
        *byte ^= part;
    }
    // The type is that of handshakes, the version TLS 1.2.
    let mut text = vec![0, 0, 0, 0];
    let mut bound = number.to_be_bytes().to_vec();
    bound.extend([22, 3, 3, 0, 4]);
    let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key.as_ref()).unwrap();
    aead::LessSafeKey::new(key)
        .seal_in_place_append_tag(
            aead::Nonce::assume_unique_for_key(nonce),
            aead::Aad::from(bound),
            &mut text,
        )
        .unwrap();
    let mut record = vec![22, 3, 3, 0, 20];
    record.extend(text);
    record
}

/// Makes the server's side of a handshake; gives the secrets.
fn shake_hands(socket: &mut TcpStream, identity: &Identity) -> (u64, ConnectionTrafficSecrets) {
    let mut provider = default_provider();
    provider.cipher_suites = vec![cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256];
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(identity.config().cert_resolver.clone());
    config.enable_secret_extraction = true;
    let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
    while connection.is_handshaking() || connection.wants_write() {
        connection.complete_io(socket).unwrap();
    }
    connection.dangerous_extract_secrets().unwrap().tx
}

#[test]
fn the_answer_to_a_handshake_request_does_not_end_the_body() {
    let length = 24 << 20;
    let wait = Duration::from_millis(600);
    let identity = Identity::new();
    let ca_pem = identity.ca_pem().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/up", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (number, secrets) = shake_hands(&mut socket, &identity);
        // The client is blocked in a write by then.
        thread::sleep(wait);
        socket.write_all(&hello_request(secrets, number)).unwrap();
        thread::sleep(wait);
        socket.set_read_timeout(Some(wait * 3)).unwrap();
        let mut got = 0;
        let mut part = vec![0; 1 << 20];
        while got < length {
            match socket.read(&mut part) {
                Ok(n) if n > 0 => got += n as u64,
                _ => break,
            }
        }
        got
    });
    let connection = Connection::trusting(&options(&url), &ca_pem);
    connection.set_ignores_expect(true);
    let _ = post(&connection, url, &mut io::repeat(0).take(length), length);
    // The records are longer than the body.
    assert!(server.join().unwrap() >= length, "the body was cut");
}

/// Serves one request with a body of this length, and says in the same write that this is the end.
/// The TCP connection stays open until the client closes it.
fn serve_last(mut socket: TcpStream, config: Arc<ServerConfig>, body: usize) -> io::Result<()> {
    let mut connection = ServerConnection::new(config).unwrap();
    let mut tls = rustls::Stream::new(&mut connection, &mut socket);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        tls.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    connection
        .writer()
        .write_all(&reply(200, &"x".repeat(body)))?;
    connection.send_close_notify();
    let mut records = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut records)?;
    }
    socket.write_all(&records)?;
    socket.read_to_end(&mut Vec::new())?;
    Ok(())
}

/// This side reads 4096 bytes at a time, so that the end comes with the response, or after it.
#[test]
fn a_connection_that_ended_with_the_response_is_not_used_again() {
    let identity = Identity::new();
    let ca_pem = identity.ca_pem().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/up", listener.local_addr().unwrap());
    let bodies: Vec<usize> = (3900..4110).step_by(15).chain([10]).collect();
    let theirs = bodies.clone();
    thread::spawn(move || {
        for body in theirs {
            let (socket, _) = listener.accept().unwrap();
            let config = identity.config();
            thread::spawn(move || serve_last(socket, config, body));
        }
    });
    let mut options = options(&url);
    options.limits.response = SOON / 4;
    let connection = Connection::trusting(&options, &ca_pem);
    for body in bodies {
        let mut nothing = io::empty();
        let response = post(&connection, url.clone(), &mut nothing, 0).unwrap();
        assert_eq!(response.body.len(), body);
    }
}
