//! The command `check`: looks at all that a start needs, and changes nothing; an object store gets an object
//! for a moment. A receiver may run meanwhile.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::anyhow;

use crate::accounts::signing::Signing;
use crate::config::Config;
use crate::http::room::free;
use crate::http::size::in_units;
use crate::ops::tls::{self, Tls};
use crate::receipts::Receipts;
use crate::start;
use crate::storage::database::{Database, State};

/// Below this room the disk is said to be nearly full.
const LITTLE_ROOM: u64 = 1 << 30;
/// How many days before its end a certificate is said to end.
const DAYS: i64 = 14;

/// What was found.
#[derive(Default)]
struct Findings {
    text: String,
    failures: usize,
}

impl Findings {
    fn good(&mut self, text: &str) {
        self.text += &format!("ok       {text}\n");
    }

    fn warn(&mut self, text: &str) {
        self.text += &format!("warning  {text}\n");
    }

    fn fail(&mut self, text: &str) {
        self.text += &format!("FAIL     {text}\n");
        self.failures += 1;
    }

    fn add(&mut self, result: anyhow::Result<String>) {
        match result {
            Ok(text) => self.good(&text),
            Err(error) => self.fail(&format!("{error:#}")),
        }
    }
}

/// Looks at everything. Returns what it found, a line each, and whether a start would succeed.
pub async fn run(config: &Config) -> (String, bool) {
    let mut findings = Findings::default();
    findings.good("settings: read, as a start would read them");
    data(&mut findings, config);
    let has_users = records(&mut findings, config).await;
    if let Some(has_users) = has_users {
        users(&mut findings, config, has_users);
    }
    if let (Some(certificates), Some(key)) = (&config.tls_cert, &config.tls_key) {
        certificate(&mut findings, certificates, key);
    }
    if config.signing_secret_file.is_some() {
        let signing = Signing::new(config);
        findings.add(signing.map(|_| "signing secret: read".to_owned()));
    }
    if config.hook_before.is_some() || config.hook_after.is_some() {
        let hooks = start::hooks(config);
        findings.add(hooks.map(|_| "hooks: can be called; they were not".to_owned()));
    }
    if config.receipt_key.is_some() {
        let receipts = Receipts::open(config);
        findings.add(receipts.map(|_| "key for receipts: read".to_owned()));
    }
    if config.store.is_some() {
        findings.add(objects(config).await);
    }
    (findings.text, findings.failures == 0)
}

/// Looks at the object store, as a start does: makes an object, reads and deletes it.
async fn objects(config: &Config) -> anyhow::Result<String> {
    let objects = start::objects(config)?;
    start::check(&objects).await?;
    let name = objects.as_ref().map_or("", |objects| objects.name());
    Ok(format!("object store {name}: takes and deletes an object"))
}

/// Looks at the data directory and those in it.
fn data(findings: &mut Findings, config: &Config) {
    let name = format!("data directory {}", config.data.display());
    match fs::metadata(&config.data) {
        Ok(found) if found.is_dir() => {}
        Ok(_) => return findings.fail(&format!("{name}: it is a file; give another --data")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return match may_be_made(&config.data) {
                true => findings.good(&format!("{name}: not there; a start makes it")),
                false => findings.fail(&format!(
                    "{name}: not there, and this system user may not make it; make it, or give another --data"
                )),
            }
        }
        Err(error) => return findings.fail(&format!("{name}: {error}")),
    }
    let parts = ["partial", "partial.unknown", "files"].map(|part| config.data.join(part));
    for path in [config.data.clone()].into_iter().chain(parts) {
        if let Ok(found) = fs::metadata(&path) {
            directory(findings, config, &path, &found);
        }
    }
    match free(&config.data) {
        Some(bytes) if bytes < LITTLE_ROOM => {
            findings.warn(&format!("{name}: only {} free", in_units(bytes)));
        }
        Some(bytes) => findings.good(&format!("{name}: {} free", in_units(bytes))),
        None => {}
    }
}

/// Looks at the rights of a directory.
#[cfg(unix)]
fn directory(findings: &mut Findings, config: &Config, path: &Path, found: &fs::Metadata) {
    use std::os::unix::fs::MetadataExt;
    let name = format!("directory {}", path.display());
    if let Err(error) = may_write(path) {
        let user = rustix::process::geteuid().as_raw();
        return findings.fail(&format!(
            "{name}: the system user {user} may not write there ({error}); it is the user {}'s",
            found.uid()
        ));
    }
    let user = rustix::process::geteuid().as_raw();
    let others = found.mode() & config.umask & 0o077;
    if found.uid() != user {
        findings.warn(&format!(
            "{name}: it is the system user {}'s; this command runs as {user}, and tells what a receiver of that user may do",
            found.uid()
        ));
    }
    match others {
        0 => findings.good(&format!(
            "{name}: can be written, mode {:o}",
            found.mode() & 0o7777
        )),
        _ => {
            findings.warn(&format!(
            "{name}: others than --umask lets may use it, mode {:o}; 'chmod -R {} {}' ends that",
            found.mode() & 0o7777,
            if config.umask & 0o070 == 0o070 { "go=" } else { "o=" },
            path.display()
        ))
        }
    }
}

#[cfg(not(unix))]
fn directory(findings: &mut Findings, _: &Config, path: &Path, found: &fs::Metadata) {
    let name = format!("directory {}", path.display());
    match found.permissions().readonly() {
        true => findings.fail(&format!("{name}: it cannot be written")),
        false => findings.good(&format!("{name}: can be written")),
    }
}

#[cfg(unix)]
fn may_write(path: &Path) -> Result<(), rustix::io::Errno> {
    use rustix::fs::{accessat, Access, AtFlags, CWD};
    let access = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, path, access, AtFlags::EACCESS)
}

/// Whether a directory that is not there could be made.
fn may_be_made(path: &Path) -> bool {
    let above = path.ancestors().skip(1).find(|above| above.exists());
    let above = match above {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => Path::new("."),
    };
    #[cfg(unix)]
    return above.is_dir() && may_write(above).is_ok();
    #[cfg(not(unix))]
    above.is_dir()
}

/// Looks at the database. Returns whether it has users, if that is known.
async fn records(findings: &mut Findings, config: &Config) -> Option<bool> {
    let database = match start::database_to_look_at(config) {
        Ok(Some(database)) => database,
        Ok(None) => {
            let path = config.data.join("receiver.sqlite");
            findings.good(&format!(
                "database {}: not there; a start makes it",
                path.display()
            ));
            return Some(false);
        }
        Err(error) => {
            findings.fail(&format!("{error:#}"));
            return None;
        }
    };
    match look(&database).await {
        Ok((state, text)) => {
            let name = database.name();
            match state.pending.is_empty() {
                true => findings.good(&format!("database {name}: up to date, {text}")),
                false => findings.warn(&format!(
                    "database {name}: a start brings it up to date (change {}), after which no older receiver takes it; \
                     have a backup; {text}",
                    state.pending.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                )),
            }
            Some(state.users > 0)
        }
        Err(error) => {
            findings.fail(&format!("{error:#}"));
            None
        }
    }
}

async fn look(database: &Database) -> anyhow::Result<(State, String)> {
    let state = database.look().await.map_err(|error| {
        let name = database.name();
        anyhow!("the database {name} cannot be used: {error}")
    })?;
    let text = format!("{} uploads, {} users", state.uploads, state.users);
    Ok((state, text))
}

fn users(findings: &mut Findings, config: &Config, has_users: bool) {
    match start::check_users(config, has_users) {
        Ok(None) => findings.good("users: everybody has to log in"),
        Ok(Some(warning)) => findings.warn(&format!("users: {warning}")),
        Err(error) => findings.fail(&format!("users: {error:#}")),
    }
}

fn certificate(findings: &mut Findings, certificates: &Path, key: &Path) {
    let name = format!("certificate {}", certificates.display());
    if let Err(error) = Tls::open(certificates, key) {
        return findings.fail(&format!("{error:#}"));
    }
    match tls::days_left(certificates) {
        Ok(days) if days < 0 => findings.fail(&format!("{name}: it has ended; renew it")),
        Ok(days) if days < DAYS => {
            findings.warn(&format!("{name}: it ends in {days} days; renew it"));
        }
        Ok(days) => findings.good(&format!("{name}: fits its key, and ends in {days} days")),
        Err(why) => findings.fail(&format!("{name}: {why}")),
    }
}
