//! Questions whose answers the console does not show.
//!
//! The keys are read one by one, since no key that is read so is shown. (`Term::read_secure_line` takes no backspace.)

use std::io;

use console::{Key, Term};

/// Asks on the console of this process. Fails with `Interrupted` when the answer is Ctrl-C.
pub fn ask(question: &str) -> io::Result<String> {
    let console = Term::stderr();
    if !console.is_term() {
        return Err(io::Error::other("standard error is not the console"));
    }
    console.write_str(question)?;
    let line = read_line(|| console.read_key_raw());
    console.write_line("")?;
    line
}

/// Reads a line of keys.
fn read_line(mut read_key: impl FnMut() -> io::Result<Key>) -> io::Result<String> {
    let mut line = String::new();
    loop {
        match read_key()? {
            Key::Enter | Key::Char('\n') => return Ok(line),
            Key::CtrlC => return Err(io::ErrorKind::Interrupted.into()),
            // Ctrl-Z is the end of what is typed.
            Key::Char('\u{1a}') if line.is_empty() => {
                return Err(io::ErrorKind::UnexpectedEof.into())
            }
            Key::Backspace => drop(line.pop()),
            Key::Escape => line.clear(),
            Key::Tab => line.push('\t'),
            Key::Char(c) => line.push(c),
            _ => {}
        }
    }
}
