//! Questions whose answers the terminal does not show.
//!
//! The echo is switched off before the question is written, so that a quick answer is not shown; characters that were
//! typed before are kept. Ctrl-C is read as a key, since its signal would leave the echo off.

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::termios::{
    tcgetattr, tcsetattr, LocalModes, OptionalActions, SpecialCodeIndex as Key, Termios,
};

/// Asks on the terminal of this process. Fails with `Interrupted` when the answer is Ctrl-C.
pub fn ask(question: &str) -> io::Result<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let no_echo = NoEcho::on(&terminal)?;
    (&terminal).write_all(question.as_bytes())?;
    let line = read_line(&terminal, &no_echo.before);
    drop(no_echo);
    (&terminal).write_all(b"\n")?;
    String::from_utf8(line?).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// A terminal without echo, until this is dropped.
struct NoEcho<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> NoEcho<'a> {
    fn on(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        modes.special_codes[Key::VMIN] = 1;
        modes.special_codes[Key::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(NoEcho { terminal, before })
    }
}

impl Drop for NoEcho<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Reads a line. The keys for editing are those of the terminal.
fn read_line(mut terminal: &File, settings: &Termios) -> io::Result<Vec<u8>> {
    let key = |key| settings.special_codes[key];
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        let at_end = terminal.read(&mut byte)? == 0;
        match byte[0] {
            _ if at_end => return Err(io::ErrorKind::UnexpectedEof.into()),
            b'\n' | b'\r' => return Ok(line),
            byte if byte == key(Key::VINTR) => return Err(io::ErrorKind::Interrupted.into()),
            byte if byte == key(Key::VEOF) && line.is_empty() => {
                return Err(io::ErrorKind::UnexpectedEof.into())
            }
            byte if byte == key(Key::VKILL) => line.clear(),
            byte if byte == key(Key::VERASE) || byte == 8 => {
                // Removes all bytes of a character.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte => line.push(byte),
        }
    }
}
