//! Makes what is shipped with what is built: manual pages, licence notices, and documents without dead links.
//! packaging/*.mk call it.

mod header;
mod links;
mod notices;
mod pages;

use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "\
usage: resup-packaging man HEADER DIRECTORY     writes a manual page for each function
       resup-packaging notices DIRECTORY TARGET...
                                                writes what the third parties' licences ask for, of what is
                                                built for the targets (without any, for this machine)
       resup-packaging unlink DIRECTORY         makes text of the links, in Markdown there, to what is not there";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words[..] {
        ["man", header, directory] => pages::write(Path::new(header), Path::new(directory)),
        ["notices", directory, ref targets @ ..] => notices::write(Path::new(directory), targets),
        ["unlink", directory] => links::unlink(Path::new(directory)),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Adds the path to an error.
fn at<T>(path: &Path, result: std::io::Result<T>) -> Result<T, String> {
    result.map_err(|error| format!("{}: {error}", path.display()))
}
