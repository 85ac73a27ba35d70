//! PHP-FPM behind nginx, with `examples/receivers/php/upload.php`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::{open_to_all, Daemon};
use crate::nginx::Nginx;

/// A running PHP-FPM with an nginx; both end when this is dropped. In a test that fails, their logs are shown.
pub struct PhpFpm {
    fpm: Daemon,
    nginx: Nginx,
    data: tempfile::TempDir,
}

/// The settings that README.md of the example has.
#[derive(Debug, Default)]
pub struct Settings {
    /// The file `.user.ini`.
    pub user_ini: String,
    /// Directives of nginx.
    pub nginx: String,
}

impl Settings {
    /// Reads them from README.md.
    ///
    /// # Panics
    ///
    /// When they are not there.
    pub fn documented() -> Self {
        let text = fs::read_to_string(example("README.md")).expect("README.md");
        let block = |mark: &str| {
            let rest = text.split_once(&format!("```{mark}\n"));
            let block = rest.and_then(|(_, rest)| rest.split_once("```"));
            block
                .unwrap_or_else(|| panic!("no block {mark}"))
                .0
                .to_owned()
        };
        Self {
            user_ini: block("ini"),
            nginx: block("nginx"),
        }
    }
}

impl PhpFpm {
    /// Starts both; `None` when one of them is not installed.
    ///
    /// # Panics
    ///
    /// When one does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(settings: &Settings) -> Option<Self> {
        let data = tempfile::tempdir().expect("a data directory");
        // As root, PHP runs as another user.
        open_to_all(data.path());
        let script = data.path().join("upload.php");
        for name in ["upload.php", "records.php"] {
            fs::copy(example(name), data.path().join(name)).expect(name);
        }
        fs::write(data.path().join(".user.ini"), &settings.user_ini).expect("its settings");
        let stored = data.path().join("data");
        let fpm = Daemon::start("php-fpm8.2", |command, addr, dir| {
            let pool = format!(
                "[global]\ndaemonize = no\n[www]\nlisten = {addr}\nuser = nobody\ngroup = nogroup\n\
                 pm = static\npm.max_children = 2\nenv[RESUP_DATA] = {}\n\
                 php_flag[display_errors] = off\n",
                stored.display()
            );
            fs::write(dir.join("conf"), pool).expect("its configuration");
            command.arg("-F").arg("-y").arg(dir.join("conf"));
        })?;
        let directives = format!(
            "{}\nfastcgi_pass {};\nfastcgi_param SCRIPT_FILENAME {};\n{}",
            settings.nginx,
            fpm.addr(),
            script.display(),
            [
                ("QUERY_STRING", "$query_string"),
                ("REQUEST_METHOD", "$request_method"),
                ("CONTENT_TYPE", "$content_type"),
                ("CONTENT_LENGTH", "$content_length"),
                ("REQUEST_URI", "$request_uri"),
                ("SERVER_PROTOCOL", "$server_protocol"),
                ("REMOTE_ADDR", "$remote_addr"),
            ]
            .map(|(name, value)| format!("fastcgi_param {name} {value};\n"))
            .concat()
        );
        let nginx = Nginx::start_with(&directives)?;
        Some(Self { fpm, nginx, data })
    }

    /// Returns the address at which nginx listens.
    pub fn addr(&self) -> SocketAddr {
        self.nginx.addr()
    }

    /// Returns the path of the file of an upload.
    pub fn stored_file(&self, id: &str) -> PathBuf {
        self.data.path().join("data/files").join(id)
    }
}

impl Drop for PhpFpm {
    fn drop(&mut self) {
        self.fpm.terminate();
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples/receivers/php")
        .join(name)
}
