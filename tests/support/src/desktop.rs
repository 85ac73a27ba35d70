//! A screen that nobody sees, for programs with a window: Xvfb with the window manager openbox.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::tools;

const PATIENCE: Duration = Duration::from_secs(30);

/// A running screen; it ends, with the window manager, when this is dropped.
pub struct Desktop {
    display: String,
    screen: Child,
    manager: Option<Child>,
}

/// A program under way; it is killed when this is dropped.
pub struct Running(Child);

impl Running {
    /// Starts a program.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn start(command: &mut Command) -> Self {
        Self(command.spawn().expect("the program runs"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A window on the screen.
pub struct Window<'a> {
    desktop: &'a Desktop,
    id: String,
}

impl Desktop {
    /// Starts a screen; `None` when the programs for it are not installed.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](tools::find).
    pub fn start() -> Option<Self> {
        let xvfb = tools::find("Xvfb")?;
        let openbox = tools::find("openbox")?;
        tools::find("xdotool")?;
        let mut screen = Command::new(xvfb)
            // It finds a free number itself, and writes it to its output.
            .args(["-displayfd", "1", "-nolisten", "tcp"])
            // Without this it resets when its last client ends: an xdotool that ends before openbox has connected
            // would take openbox along.
            .arg("-noreset")
            .args(["-screen", "0", "1280x800x24", "-dpi", "96"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb runs");
        let mut number = String::new();
        let mut stdout = BufReader::new(screen.stdout.take().expect("its output"));
        stdout.read_line(&mut number).expect("its display");
        let mut desktop = Desktop {
            display: format!(":{}", number.trim()),
            screen,
            manager: None,
        };
        let manager = desktop.command(openbox).stderr(Stdio::null()).spawn();
        desktop.manager = Some(manager.expect("openbox runs"));
        desktop.wait_for_manager();
        Some(desktop)
    }

    /// Waits until openbox manages the screen: before that, xdotool refuses a question that only a window manager answers.
    fn wait_for_manager(&self) {
        let until = Instant::now() + PATIENCE;
        while self.xdotool(&["get_num_desktops"]).is_none() {
            assert!(Instant::now() < until, "openbox does not come up");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes a command for a program that shows its window here.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).stdin(Stdio::null());
        command
    }

    fn xdotool(&self, arguments: &[&str]) -> Option<String> {
        let output = self.command("xdotool").args(arguments).output();
        let output = output.expect("xdotool runs");
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    }

    /// Waits for a window with this title.
    ///
    /// # Panics
    ///
    /// When there is none after a while.
    pub fn window(&self, title: &str) -> Window<'_> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(window) = self.find(title) {
                return window;
            }
            assert!(Instant::now() < until, "no window \"{title}\"");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Finds the window with this title, if there is one.
    pub fn find(&self, title: &str) -> Option<Window<'_>> {
        let title = format!("^{title}$");
        let found = self.xdotool(&["search", "--onlyvisible", "--name", &title])?;
        let id = found.lines().find(|id| self.shows(id))?.to_owned();
        Some(Window { desktop: self, id })
    }

    /// Whether a window can be seen: a Lazarus program in wine has another one of its title, a single pixel.
    fn shows(&self, id: &str) -> bool {
        self.xdotool(&["getwindowgeometry", "--shell", id])
            .is_some_and(|geometry| !geometry.contains("WIDTH=1\n"))
    }

    /// Saves a picture of the whole screen as PNG, for people to look at.
    ///
    /// # Panics
    ///
    /// When that fails; where ImageMagick is not installed nothing is saved.
    pub fn picture(&self, path: &Path) {
        if tools::find("import").is_some() {
            let mut import = self.command("import");
            let status = import.args(["-window", "root"]).arg(path).status();
            assert!(status.expect("import runs").success());
            assert!(File::open(path).is_ok());
        }
    }
}

impl Window<'_> {
    /// Clicks at a point inside it.
    ///
    /// # Panics
    ///
    /// When the window is gone.
    pub fn click(&self, x: u32, y: u32) {
        let (x, y) = (x.to_string(), y.to_string());
        // Not with --sync, which waits for long where the mouse is there already.
        let arguments = ["mousemove", "--window", &self.id, &x, &y, "click", "1"];
        assert!(self.desktop.xdotool(&arguments).is_some(), "a click");
    }

    /// Presses a key, named as in `ctrl+a`.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn press(&self, key: &str) {
        assert!(self.desktop.xdotool(&["key", key]).is_some(), "{key}");
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.manager.iter_mut().chain([&mut self.screen]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
