//! The likeliest first mistakes with the command, which tests/mistakes.txt lists with what it has to say of each.

mod common;

use std::fs;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use common::{put, resup};
use resup_test_support::mistakes;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::scripted::{reply, End, Read, ScriptedServer, Step};
use resup_test_support::tls::{Authority, Identity};

/// What several mistakes use.
struct Bench {
    dir: tempfile::TempDir,
    receiver: Receiver,
    /// A receiver with a user, limits and a secret.
    strict: Receiver,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bench = Bench {
            receiver: Receiver::start(),
            strict: Setup::new()
                .args(&["--max-size", "1000", "--quota", "1500"])
                .start(),
            dir,
        };
        for (name, size) in [("f", 10), ("large", 2000), ("half", 900), ("other", 901)] {
            bench.write(name, &"x".repeat(size));
        }
        bench.write("d/f", "x");
        bench.write("notes.txt", "milk, bread");
        bench
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        self.path(name)
    }

    /// Runs `resup put` with these words, of which `@NAME` is the path of a file here. Gives the exit code and what it
    /// wrote to standard error.
    fn put(&self, words: &[&str]) -> String {
        let words = words.iter().map(|word| match word.strip_prefix('@') {
            Some(name) => self.path(name),
            None => (*word).to_owned(),
        });
        told(put().args(["--retries", "0"]).args(words))
    }

    /// Uploads the small file to this URL.
    fn to(&self, url: &str, words: &[&str]) -> String {
        self.put(&[words, &["@f", url]].concat())
    }

    /// Uploads the small file to a server that does this with each request.
    fn answered(&self, step: Step) -> String {
        let server = ScriptedServer::start(vec![step]);
        self.to(&server.endpoint(), &[])
    }

    /// Uploads the small file over TLS to a server with this identity, whose authority is trusted if `trusted`.
    fn secure(&self, identity: Identity, trusted: bool) -> String {
        let ca = self.write("ca.pem", identity.ca_pem());
        let server = ScriptedServer::start_tls_with(identity, |_, _| Step::reply(500, "{}"));
        match trusted {
            true => self.to(&server.endpoint(), &["--cacert", &ca]),
            false => self.to(&server.endpoint(), &[]),
        }
    }
}

fn told(command: &mut std::process::Command) -> String {
    let output = command.output().unwrap();
    let code = output.status.code().unwrap();
    format!("exit {code}: {}", String::from_utf8(output.stderr).unwrap())
}

/// A file that only its owner may read: root may read all, so that it is not root who tries.
fn denied(bench: &Bench) -> String {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let path = bench.write("secret", "x");
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    allow(Path::new(&path), 0o000);
    let program = bench.path("resup");
    fs::copy(common::program(), &program).unwrap();
    allow(bench.dir.path(), 0o711);
    let mut command = std::process::Command::new(program);
    command.args(["put", &path, "http://127.0.0.1:9/"]);
    command.env("LC_ALL", "C");
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65534).current_dir("/");
    }
    told(&mut command)
}

/// A file whose name is not UTF-8.
fn nameless(bench: &Bench) -> String {
    let path = bench.dir.path().join(std::ffi::OsStr::from_bytes(b"f\xff"));
    fs::write(&path, "x").unwrap();
    told(put().arg(&path).arg("http://127.0.0.1:9/"))
}

/// An address at which nobody listens: the port is free again, and nobody else gets it so soon.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A proxy that does this with each request.
fn proxy(step: Step) -> ScriptedServer {
    ScriptedServer::start(vec![step])
}

fn command_line(bench: &Bench, mistake: &str) -> Option<String> {
    let url = "http://127.0.0.1:9/upload";
    Some(match mistake {
        "an option that there is not" => bench.to(url, &["--fast"]),
        "no file" => bench.put(&[url]),
        "no URL" => bench.put(&["@f"]),
        "a URL without http://" => bench.to("127.0.0.1:8080/upload", &[]),
        "the URL before the file" => bench.put(&[url, "@f"]),
        "no command" => told(resup().args(["f", url])),
        "an option before the command" => told(resup().args(["--rate", "2M", "put", "f", url])),
        "a URL of FTP" => bench.to("ftp://example.org/", &[]),
        "a URL with a password" => bench.to("http://joe:secret@127.0.0.1:9/", &[]),
        "a URL with a fragment" => bench.to("http://127.0.0.1:9/#upload", &[]),
        "a file that there is not" => bench.put(&["@holiday.jpg", url]),
        "a pattern that the shell found nothing for" => bench.put(&["*.zip", url]),
        "a directory without -r" => bench.put(&["@d", url]),
        "a file that may not be read" => denied(bench),
        "a name that is not UTF-8" => nameless(bench),
        "two files of one name" => bench.put(&["@f", "@d/f", url]),
        "one name for two files" => bench.put(&["--name", "x", "@f", "@large", url]),
        "a rate with another unit" => bench.to(url, &["--rate", "2MB/s"]),
        "a time that is none" => bench.to(url, &["--retry-timeout", "a day"]),
        "no uploads at once" => bench.to(url, &["-j", "0"]),
        "a header without a colon" => bench.to(url, &["--header", "X-Team"]),
        "a field without =" => bench.to(url, &["--field", "team"]),
        "a file of cookies that there is not" => bench.to(url, &["--cookie=@/nowhere/cookies"]),
        "a key without a certificate" => bench.to(url, &["--key", "@notes.txt"]),
        "a certificate that is none" => bench.to(url, &["--cert", "@notes.txt"]),
        "a CA file that there is not" => bench.to(url, &["--cacert", "/nowhere/ca.pem"]),
        "a password file that there is not" => bench.to(
            url,
            &["--basic", "joe", "--password-file", "/nowhere/password"],
        ),
        "a password from nowhere" => bench.to(url, &["--basic", "joe"]),
        "a login at another server" => {
            let login = "http://127.0.0.1:8/login";
            bench.to(url, &["--login", login, "--login-field", "user=joe"])
        }
        "a proxy of an unknown kind" => bench.to(url, &["--proxy", "gopher://127.0.0.1"]),
        _ => return None,
    })
}

fn network(bench: &Bench, mistake: &str) -> Option<String> {
    let receiver = &bench.receiver;
    let at = |path: &str| format!("http://{}{path}", receiver.addr());
    let elsewhere = "http://192.0.2.1/upload";
    Some(match mistake {
        "the address that the browser shows" => {
            let by_get = bench.to(&at("/"), &["--locate-method", "get", "--name", "by get"]);
            assert!(by_get.starts_with("exit 0"), "{by_get}");
            bench.to(&at("/"), &[])
        }
        "a wrong path at the receiver" => bench.to(&at("/uplaod"), &[]),
        "the receiver's list as the URL" => bench.to(&at("/uploads"), &[]),
        "a web server without uploads" => {
            bench.answered(Step::new().read(Read::All).write(reply(405, "")))
        }
        "a web page as the URL" => bench.answered(
            Step::new()
                .read(Read::All)
                .write(reply(200, "<html>Welcome</html>")),
        ),
        "https:// for a server of http://" => {
            bench.to(&receiver.endpoint().replace("http:", "https:"), &[])
        }
        "http:// for a server of https://" => {
            let (cert, key) = Authority::new().certify().write(bench.dir.path(), "server");
            let secure = Setup::new()
                .arg("--tls-cert")
                .arg(cert)
                .arg("--tls-key")
                .arg(key)
                .start();
            bench.to(&secure.endpoint().replace("https:", "http:"), &[])
        }
        "a port where nobody listens" => bench.to(&format!("http://{}/upload", nobody()), &[]),
        "a host that there is not" => bench.to("http://no-such-host.invalid/upload", &[]),
        "a server of an unknown CA" => bench.secure(Identity::new(), false),
        "a server of another name" => bench.secure(Identity::named(&["files.example"]), true),
        "a certificate that has expired" => {
            let authority = Authority::new();
            bench.secure(Identity::of(authority.certify_for_2019(), &authority), true)
        }
        "a proxy that does not run" => {
            bench.to(elsewhere, &["--proxy", &format!("http://{}", nobody())])
        }
        "a proxy that wants a password" => {
            let proxy = proxy(Step::new().read(Read::All).write(reply(407, "")));
            bench.to(elsewhere, &["--proxy", &format!("http://{}", proxy.addr())])
        }
        "a SOCKS proxy as an HTTP proxy" => {
            let proxy = proxy(Step::new().end(End::Close));
            bench.to(elsewhere, &["--proxy", &format!("http://{}", proxy.addr())])
        }
        "an HTTP proxy as a SOCKS proxy" => {
            // It answers what is no HTTP.
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let proxy = format!("socks5h://{}", listener.local_addr().unwrap());
            let answers = std::thread::spawn(move || {
                use std::io::{Read, Write};
                let (mut socket, _) = listener.accept().unwrap();
                let _ = socket.read(&mut [0; 100]);
                let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            });
            let told = bench.to(elsewhere, &["--proxy", &proxy]);
            answers.join().unwrap();
            told
        }
        _ => return None,
    })
}

fn server(bench: &Bench, mistake: &str) -> String {
    let strict = &bench.strict;
    let url = strict.endpoint();
    match mistake {
        "a file that is too large" => bench.put(&["@large", &url]),
        "a file over the quota" => {
            let fits = bench.put(&["@half", &url]);
            assert!(fits.starts_with("exit 0"), "{fits}");
            bench.put(&["@other", &url])
        }
        "no login"
        | "a wrong password"
        | "a wrong token"
        | "a wrong password in a login form"
        | "a login at a page that there is not" => {
            let guarded = Receiver::start();
            guarded.admin(&["user", "add", "joe"], "correct horse\n");
            let url = guarded.endpoint();
            let login = url.replace("/upload", "/signin");
            match mistake {
                "no login" => bench.to(&url, &[]),
                "a wrong token" => bench.to(&url, &["--token-file", &bench.write("token", "x")]),
                "a wrong password" => bench.to(&url, &["--basic", "joe:wrong"]),
                "a wrong password in a login form" => {
                    let login = url.replace("/upload", "/login");
                    let fields = [
                        "--login-field",
                        "user=joe",
                        "--login-field",
                        "password=wrong",
                    ];
                    bench.to(&url, &[&["--login", &login], &fields[..]].concat())
                }
                _ => bench.to(&url, &["--login", &login, "--login-field", "user=joe"]),
            }
        }
        "no signing secret" | "a wrong signing secret" => {
            let secret = bench.write("right", "geheim");
            let wrong = bench.write("wrong", "geheimer");
            let signed = Setup::new()
                .arg("--signing-secret-file")
                .arg(secret)
                .start();
            match mistake {
                "no signing secret" => bench.to(&signed.endpoint(), &[]),
                _ => bench.to(&signed.endpoint(), &["--sign-secret-file", &wrong]),
            }
        }
        other => panic!("nothing makes the mistake \"{other}\""),
    }
}

#[test]
fn each_first_mistake_is_told_with_its_way_out() {
    let bench = Bench::new();
    mistakes::walk("command", |mistake| {
        command_line(&bench, mistake)
            .or_else(|| network(&bench, mistake))
            .unwrap_or_else(|| server(&bench, mistake))
    });
}
