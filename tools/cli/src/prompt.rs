//! Questions whose answers the terminal does not show.
//!
//! The echo is switched off before the question is written, so that a quick answer is not shown.
//! Keys pressed before that count as part of the answer. Ctrl-C is read as a key, since its signal
//! would leave the echo off.

use std::fs::File;
use std::io::{self, Read, Write};

use crate::messages::tr;
use rustix::termios::{
    tcgetattr, tcsetattr, LocalModes, OptionalActions, SpecialCodeIndex as Key, Termios,
};

/// Asks on the terminal of this process. Fails with `Interrupted` when the answer is Ctrl-C.
pub fn ask(question: &str) -> io::Result<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let no_echo = NoEcho::new(&terminal)?;
    (&terminal).write_all(question.as_bytes())?;
    let line = read_line(&terminal, &no_echo.original);
    drop(no_echo);
    (&terminal).write_all(b"\n")?;
    String::from_utf8(line?).map_err(|_| io::Error::other(tr!("it is not UTF-8")))
}

/// A guard that keeps a terminal's echo off until it is dropped.
struct NoEcho<'a> {
    terminal: &'a File,
    original: Termios,
}

impl<'a> NoEcho<'a> {
    /// Switches the echo off.
    fn new(terminal: &'a File) -> io::Result<Self> {
        let original = tcgetattr(terminal)?;
        let mut modes = original.clone();
        modes.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        modes.special_codes[Key::VMIN] = 1;
        modes.special_codes[Key::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(NoEcho { terminal, original })
    }
}

impl Drop for NoEcho<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.original);
    }
}

/// Reads a line. `settings` says which keys erase a character or the line.
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
