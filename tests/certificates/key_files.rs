//! Files with certificates and keys, in the forms in which OpenSSL and others write them.

use std::fs;

use resup::Client;
use resup_test_support::openssl::{ec, OpenSsl, RSA, V3};

use super::invalid;

#[test]
fn the_usual_forms_of_files_are_read() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("ca", RSA, "");
    openssl.run("x509 -in ca.pem -outform DER -out ca.cer");
    openssl.run("pkey -in ca.key -outform DER -out pkcs8.der");
    openssl.run("rsa -in ca.key -traditional -out pkcs1.pem");
    openssl.run("rsa -in ca.key -traditional -outform DER -out pkcs1.der");
    let (pem, key) = (openssl.text("ca.pem"), openssl.text("ca.key"));
    let bom = openssl.write("bom.pem", format!("\u{feff}{pem}\u{feff}{pem}"));
    let windows = openssl.write(
        "windows.pem",
        format!("Caf\u{e9}\r\n{pem}").replace('\n', "\r\n"),
    );
    let indented = openssl.write("indented.pem", pem.replace('\n', "\n    "));
    let both = openssl.write("both.pem", format!("{key}{pem}"));
    let turned = openssl.write("turned.pem", format!("\u{feff}{pem}{key}"));

    let client = Client::new("https://localhost/").unwrap();
    for ca in [
        "ca.pem",
        "ca.cer",
        "bom.pem",
        "windows.pem",
        "indented.pem",
        "both.pem",
    ] {
        client
            .set_ca_file(openssl.path(ca))
            .unwrap_or_else(|e| panic!("{e}"));
    }
    let ca = openssl.path("ca.pem");
    for (certificate, key) in [
        (&ca, &openssl.path("ca.key")),
        (&openssl.path("ca.cer"), &openssl.path("pkcs8.der")),
        (&bom, &openssl.path("pkcs1.pem")),
        (&windows, &openssl.path("pkcs1.der")),
        (&indented, &both),
        (&both, &both),
        (&turned, &turned),
    ] {
        let set = client.set_client_certificate(certificate, key);
        set.unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn other_forms_are_told_with_the_way_out() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.own("ca", RSA, "");
    openssl.certify("one", RSA, "ca", V3);
    openssl.own("p521", &ec("P-521"), "");
    openssl.run("pkey -in one.key -aes128 -passout pass:abcd -out encrypted.key");
    openssl.run("pkcs8 -topk8 -in one.key -outform DER -passout pass:abcd -out encrypted.der");
    openssl.run("rsa -in one.key -traditional -aes128 -passout pass:abcd -out old.key");
    openssl.run("pkcs12 -export -in one.pem -inkey one.key -passout pass:abcd -out one.p12");
    openssl.run("crl2pkcs7 -nocrl -certfile one.pem -out one.p7b");
    openssl.run("crl2pkcs7 -nocrl -certfile one.pem -outform DER -out one.p7c");
    openssl.run("x509 -in one.pem -trustout -out trusted.pem");
    openssl.run("pkey -in one.key -pubout -out public.pem");
    let pem = openssl.text("one.pem");
    openssl.write("empty.pem", "\n");
    let utf16: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
    openssl.write("utf16.pem", [&[0xff, 0xfe][..], &utf16].concat());
    openssl.write("text.pem", "no PEM at all");
    openssl.write("cut.pem", &pem[..pem.len() - 30]);
    openssl.write("damaged.pem", pem.replacen('M', "!", 1));
    openssl.write("turned.pem", format!("{}{pem}", openssl.text("ca.pem")));
    openssl.write(
        "no-certificate.pem",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    openssl.write("old-both.pem", format!("{}{pem}", openssl.text("old.key")));
    fs::create_dir(openssl.path("directory")).unwrap();

    let client = Client::new("https://localhost/").unwrap();
    for (file, words) in [
        ("empty.pem", "it is empty"),
        ("directory", "it is a directory"),
        ("missing.pem", "it cannot be read"),
        ("utf16.pem", "it is text in UTF-16; save it as UTF-8"),
        ("text.pem", "it is neither PEM"),
        (
            "cut.pem",
            "certificate 1 is cut off: the line -----END CERTIFICATE----- is missing",
        ),
        ("damaged.pem", "certificate 1 is damaged"),
        (
            "no-certificate.pem",
            "certificate 1 of 1 is damaged, or is no X.509 certificate",
        ),
        (
            "one.key",
            "no certificate, but a part PRIVATE KEY; give the file of the certificate here",
        ),
        (
            "one.csr",
            "give the certificate that the CA made of this request",
        ),
        (
            "one.p12",
            "it is a PKCS#12 file (.p12, .pfx); \"openssl pkcs12 -nodes -in OLD -out NEW\"",
        ),
        ("one.p7b", "\"openssl pkcs7 -print_certs -in OLD -out NEW\""),
        (
            "one.p7c",
            "\"openssl pkcs7 -print_certs -inform DER -in OLD -out NEW\"",
        ),
        (
            "trusted.pem",
            "(TRUSTED CERTIFICATE); \"openssl x509 -in OLD -out NEW\"",
        ),
    ] {
        invalid(client.set_ca_file(openssl.path(file)), file);
        invalid(client.set_ca_file(openssl.path(file)), words);
    }
    let encrypted = "its key is encrypted; write it without a password: \"openssl pkey";
    for (certificate, key, words) in [
        ("one.pem", "encrypted.key", encrypted),
        ("one.pem", "encrypted.der", encrypted),
        ("one.pem", "old.key", encrypted),
        ("old-both.pem", "old-both.pem", encrypted),
        ("one.pem", "one.p12", "PKCS#12"),
        ("one.p12", "one.p12", "PKCS#12"),
        (
            "one.pem",
            "one.pem",
            "no private key, but a part CERTIFICATE",
        ),
        (
            "one.pem",
            "public.pem",
            "no private key, but a part PUBLIC KEY",
        ),
        (
            "one.key",
            "one.pem",
            "no certificate, but a part PRIVATE KEY",
        ),
        (
            "turned.pem",
            "one.key",
            "the key belongs to certificate 2 of the chain",
        ),
        (
            "p521.pem",
            "p521.key",
            "the key is one of the curve P-521, which is not supported",
        ),
        (
            "one.pem",
            "ca.key",
            "the key does not belong to the certificate",
        ),
    ] {
        let (certificate, key) = (openssl.path(certificate), openssl.path(key));
        invalid(client.set_client_certificate(certificate, key), words);
    }
}
