//! A real Tomcat with the servlet of `examples/receivers/tomcat`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::daemon::{Daemon, OUTPUT};
use crate::tools;

/// The program of Debian's package `tomcat10-common`.
const CATALINA: &str = "/usr/share/tomcat10/bin/catalina.sh";

/// The settings of a Tomcat. By default the receiver has its own defaults.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    settings: Vec<String>,
    accounts: Vec<(String, String)>,
    by_container: bool,
    by_maven: bool,
}

impl Setup {
    /// Returns the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one of the receiver's settings.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push(format!("-Dresup.{name}={value}"));
        self
    }

    /// Adds a user, who is by default in the receiver's own file.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.accounts.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Gives the users to Tomcat, which checks their logins.
    pub fn by_container(mut self) -> Self {
        self.by_container = true;
        self
    }

    /// Runs the Tomcat that Maven has fetched, by `mvn exec:java`, with nothing but the servlet.
    pub fn by_maven(mut self) -> Self {
        self.by_maven = true;
        self
    }

    /// Starts it; `None` when there is no Tomcat here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(self) -> Option<Tomcat> {
        let data = tempfile::tempdir().expect("a data directory");
        let users = data.path().join("users");
        if !self.accounts.is_empty() && !self.by_container {
            let line = |(name, password): &(String, String)| user_line(name, password);
            fs::write(&users, self.accounts.iter().map(line).collect::<String>()).expect("users");
        }
        let mut tomcat = Tomcat {
            daemon: None,
            setup: self,
            data,
        };
        tomcat.restart().then_some(tomcat)
    }

    fn properties(&self, data: &Path) -> Vec<String> {
        let mut properties = self.settings.clone();
        properties.push(format!("-Dresup.data={}", data.display()));
        let users = data.join("users");
        if users.exists() {
            properties.push(format!("-Dresup.users={}", users.display()));
        }
        properties
    }

    /// Writes a base directory as an administrator would.
    fn write_base(&self, dir: &Path, addr: SocketAddr) {
        for name in ["conf", "logs", "temp", "webapps"] {
            fs::create_dir(dir.join(name)).expect(name);
        }
        let (ip, port) = (addr.ip(), addr.port());
        let server = format!(
            r#"<Server port="-1"><Service name="Catalina">
<Connector port="{port}" address="{ip}" connectionTimeout="20000" bindOnInit="false"/>
<Engine name="Catalina" defaultHost="localhost">
<Realm className="org.apache.catalina.realm.MemoryRealm"/>
<Host name="localhost" appBase="webapps" autoDeploy="false"/>
</Engine></Service></Server>"#
        );
        let conf = dir.join("conf");
        fs::write(conf.join("server.xml"), server).expect("server.xml");
        fs::copy(war(), dir.join("webapps/resup.war")).expect("the war");
        let account = |(name, password): &(String, String)| {
            format!(r#"<user username="{name}" password="{password}" roles="uploader"/>"#)
        };
        let accounts = self.accounts.iter().filter(|_| self.by_container);
        let users: String = accounts.map(account).collect();
        let users = format!("<tomcat-users>{users}</tomcat-users>");
        fs::write(conf.join("tomcat-users.xml"), users).expect("tomcat-users.xml");
        if !self.by_container {
            return;
        }
        let web = r#"<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
<security-constraint>
<web-resource-collection>
<web-resource-name>uploads</web-resource-name><url-pattern>/upload</url-pattern>
</web-resource-collection>
<auth-constraint><role-name>uploader</role-name></auth-constraint>
</security-constraint>
<login-config><auth-method>BASIC</auth-method><realm-name>resup</realm-name></login-config>
<security-role><role-name>uploader</role-name></security-role>
</web-app>"#;
        fs::write(conf.join("web.xml"), web).expect("web.xml");
    }
}

/// A running Tomcat; it is killed when this is dropped. In a test that fails, its log is shown.
pub struct Tomcat {
    daemon: Option<Daemon>,
    setup: Setup,
    data: tempfile::TempDir,
}

impl Tomcat {
    /// Returns the URL of the upload endpoint. It changes with every restart.
    pub fn endpoint(&self) -> String {
        let context = if self.setup.by_maven { "" } else { "/resup" };
        format!("http://{}{context}/upload", self.addr())
    }

    /// Returns the address at which it listens. It changes with every restart.
    ///
    /// # Panics
    ///
    /// When it is killed.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.as_ref().expect("it runs").addr()
    }

    /// Returns the path of the file of an upload.
    pub fn stored_file(&self, id: &str) -> PathBuf {
        self.data.path().join("files").join(id)
    }

    /// Reads its log since its last start.
    pub fn log(&self) -> String {
        self.daemon
            .as_ref()
            .map_or(String::new(), |daemon| daemon.log(OUTPUT))
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        self.daemon = None;
    }

    /// Kills it if it runs, and starts it again on the same data; `false` when there is no Tomcat here.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) -> bool {
        self.kill();
        let properties = self.setup.properties(self.data.path());
        self.daemon = if self.setup.by_maven {
            Daemon::start("mvn", |command, addr, _| {
                command.args(["-o", "-q", "-B", "-f"]).arg(project());
                command.arg("exec:java").args(&properties);
                command.arg(format!("-Dexec.args={}", addr.port()));
            })
        } else {
            Daemon::start(CATALINA, |command, addr, dir| {
                self.setup.write_base(dir, addr);
                let exits = "-Dorg.apache.catalina.startup.EXIT_ON_INIT_FAILURE=true";
                let all: Vec<_> = properties
                    .iter()
                    .map(String::as_str)
                    .chain([exits])
                    .collect();
                command.arg("run").env("CATALINA_BASE", dir);
                command.env("CATALINA_OPTS", all.join(" "));
            })
        };
        self.daemon.is_some()
    }
}

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/receivers/tomcat")
}

/// Returns the path of the servlet, which `make test-tomcat` builds with Maven.
fn war() -> PathBuf {
    let war = project().join("target/resup.war");
    assert!(war.exists(), "no {}: run make tomcat", war.display());
    war
}

/// Makes a line for the receiver's own file of users.
fn user_line(name: &str, password: &str) -> String {
    use std::io::Write;
    let Some(java) = tools::find("java") else {
        return String::new();
    };
    let mut child = Command::new(java)
        .arg("-cp")
        .arg(project().join("target/classes"))
        .args(["io.resup.receiver.Users", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("java runs");
    let mut input = child.stdin.take().expect("stdin");
    input.write_all(password.as_bytes()).expect("the password");
    drop(input);
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "no line for {name}");
    String::from_utf8(output.stdout).expect("UTF-8")
}
