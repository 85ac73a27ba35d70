//! What OpenSSL makes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tls::{Certificate, Identity};
use crate::tools;

/// The names of this machine, in OpenSSL's form.
pub const NAMES: &str = "subjectAltName=DNS:localhost,IP:127.0.0.1";

/// A directory in which OpenSSL makes things.
pub struct OpenSsl(tempfile::TempDir);

impl OpenSsl {
    /// Makes the directory; `None` where OpenSSL is not installed.
    ///
    /// # Panics
    ///
    /// As [`tools::find`].
    pub fn find() -> Option<Self> {
        let openssl = tools::have(&["openssl"]);
        openssl.then(|| OpenSsl(tempfile::tempdir().unwrap()))
    }

    /// Runs it with these arguments.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn run(&self, args: &str) {
        let mut command = Command::new("openssl");
        command.args(args.split_whitespace()).current_dir(&self.0);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {args}: {text}");
    }

    /// Returns the directory.
    pub fn dir(&self) -> &Path {
        self.0.path()
    }

    /// Returns the path of a file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Reads a file in it.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes a file in it, and returns its path.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Makes a self-signed certificate, NAME.pem, which OpenSSL takes for a CA's, and NAME.key.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn own(&self, name: &str, key: &str, more: &str) {
        self.run(&format!(
            "req -x509 {key} -nodes -keyout {name}.key -out {name}.pem -subj /CN={name} -days 9 {more}"
        ));
    }

    /// Makes a certificate for this machine, NAME.pem, of the CA's, and NAME.key.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn certify(&self, name: &str, key: &str, ca: &str, more: &str) {
        self.run(&format!(
            "req {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.write("names", NAMES);
        self.run(&format!(
            "x509 -req -in {name}.csr -CA {ca}.pem -CAkey {ca}.key -CAcreateserial \
             -out {name}.pem -days 9 {more}"
        ));
    }

    /// Returns what a server needs to show NAME.pem, of the CA's.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn identity(&self, name: &str, ca: &str) -> Identity {
        let certificate = Certificate::made_elsewhere(
            &self.text(&format!("{name}.pem")),
            &self.text(&format!("{name}.key")),
        );
        Identity::with_ca_pem(certificate, &self.text(&format!("{ca}.pem")))
    }
}

/// The arguments for a new key of RSA.
pub const RSA: &str = "-newkey rsa:2048";
/// The arguments for a certificate of version 3, which has names.
pub const V3: &str = "-extfile names";

/// Returns the arguments for a new key of a curve.
pub fn ec(curve: &str) -> String {
    format!("-newkey ec -pkeyopt ec_paramgen_curve:{curve}")
}
