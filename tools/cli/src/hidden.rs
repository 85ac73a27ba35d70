//! An answer that the terminal does not show.
//!
//! The terminal hides before the question is there, so that nothing of a quick answer is shown, and
//! what was typed ahead is kept. Ctrl-C is read as a key, for a signal would leave it hiding.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};

use rustix::termios::{
    tcgetattr, tcsetattr, LocalModes, OptionalActions, SpecialCodeIndex as Key, Termios,
};

/// Asks on the terminal of this process. Fails as interrupted when the answer is Ctrl-C.
pub fn answer(question: &str) -> io::Result<String> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    let hidden = Hidden::on(&terminal)?;
    (&terminal).write_all(question.as_bytes())?;
    let line = read_line(&terminal, &hidden.before);
    drop(hidden);
    (&terminal).write_all(b"\n")?;
    String::from_utf8(line?).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// A terminal that shows nothing, until this is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn on(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut modes = before.clone();
        modes.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        modes.special_codes[Key::VMIN] = 1;
        modes.special_codes[Key::VTIME] = 0;
        tcsetattr(terminal, OptionalActions::Now, &modes)?;
        Ok(Hidden { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Reads a line, with the keys that edit one as the terminal has them.
fn read_line(mut terminal: &File, settings: &Termios) -> io::Result<Vec<u8>> {
    let key = |key| settings.special_codes[key];
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        let ended = terminal.read(&mut byte)? == 0;
        match byte[0] {
            _ if ended => return Err(io::ErrorKind::UnexpectedEof.into()),
            b'\n' | b'\r' => return Ok(line),
            byte if byte == key(Key::VINTR) => return Err(io::ErrorKind::Interrupted.into()),
            byte if byte == key(Key::VEOF) && line.is_empty() => {
                return Err(io::ErrorKind::UnexpectedEof.into())
            }
            byte if byte == key(Key::VKILL) => line.clear(),
            byte if byte == key(Key::VERASE) || byte == 8 => {
                // A character of several bytes goes whole.
                while line.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            byte => line.push(byte),
        }
    }
}
