//! The settings of one upload.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Stage, Upload};
use crate::api::check::check_file_name;
use crate::error::Error;
use crate::http::check::check_line;
use crate::options::{DigestAlgorithm, DigestMode, SegmentSize};
use crate::protocol::form::is_reserved;
use crate::protocol::PartsText;
use crate::source::Opener;

impl Upload {
    /// Sets the file name that goes to the server. Default: the file's own, if that is UTF-8.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a name that is empty, longer than 1024 bytes or contains
    /// `/` or NUL; [`Error::WrongState`] during a run, as for every setter.
    pub fn set_name(&mut self, name: &str) -> Result<(), Error> {
        self.idle()?;
        self.options.name = check_file_name(name)?;
        self.unusable_name = None;
        Ok(())
    }

    /// Sets the directory on the server, with `/` between names. Default: empty, the server's own
    /// choice.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name), for control characters.
    pub fn set_directory(&mut self, dir: &str) -> Result<(), Error> {
        self.idle()?;
        self.options.dir = match dir {
            "" => String::new(),
            dir => check_line("directory", dir)?,
        };
        Ok(())
    }

    /// Sets the file's MIME type. Default: by the extension of its name, else
    /// `application/octet-stream`.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name), for anything but one line of ASCII: `type/subtype`, and
    /// optionally parameters after a `;`.
    pub fn set_content_type(&mut self, content_type: &str) -> Result<(), Error> {
        self.idle()?;
        let content_type = check_line("content type", content_type)?;
        let name = content_type.split(';').next().unwrap_or_default();
        // A header's name is a token too (RFC 9110, 5.1 and 8.3.1).
        let is_token = |text: &str| http::HeaderName::from_bytes(text.as_bytes()).is_ok();
        let is_type = name
            .trim_end()
            .split_once('/')
            .is_some_and(|(main, sub)| is_token(main) && is_token(sub));
        if !is_type || !content_type.is_ascii() {
            return Err(Error::InvalidArgument {
                what: "content type",
                why: format!("\"{content_type}\" is not of the form type/subtype"),
            });
        }
        self.options.content_type = Some(content_type);
        Ok(())
    }

    /// Adds a field of the program's own, sent with every request. Setting a name again replaces
    /// its value.
    ///
    /// # Errors
    /// As [`set_name`](Self::set_name), for an empty name and for those of the protocol.
    pub fn set_field(&mut self, name: &str, value: &str) -> Result<(), Error> {
        self.idle()?;
        if name.is_empty() || is_reserved(name) {
            return Err(Error::InvalidArgument {
                what: "field name",
                why: format!("\"{name}\" is empty or one of the protocol's own"),
            });
        }
        self.options.fields.retain(|(other, _)| other != name);
        let field = (name.to_owned(), value.to_owned());
        self.options.fields.push(field);
        Ok(())
    }

    /// Sets the most file bytes that one request carries. Seldom needed: after a request that has
    /// brought nothing, the next ones are smaller by themselves. The server's own limit applies as
    /// well.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for 0 bytes; [`Error::WrongState`] during a run.
    pub fn set_segment_size(&mut self, size: SegmentSize) -> Result<(), Error> {
        self.idle()?;
        if size == SegmentSize::Fixed(0) {
            return Err(Error::InvalidArgument {
                what: "segment size",
                why: "must be more than 0 bytes".to_owned(),
            });
        }
        self.options.segment_size = size;
        Ok(())
    }

    /// Sets whether and when the digest of the file is computed. Default: [`DigestMode::OnePass`].
    /// [`DigestMode::None`] goes only with [`DigestAlgorithm::Automatic`]: else the upload of a file
    /// does not start.
    ///
    /// # Errors
    /// [`Error::WrongState`] during a run.
    pub fn set_digest(&mut self, mode: DigestMode) -> Result<(), Error> {
        self.idle()?;
        self.options.digest = mode;
        Ok(())
    }

    /// Sets the algorithm of the digest. By default both ends choose the best one that both have. One
    /// that is asked for by its name is the only one that the run uses: it fails with
    /// [`Error::DigestUnavailable`] where the server does not use it. Each server has MD5.
    ///
    /// # Errors
    /// [`Error::WrongState`] during a run.
    pub fn set_digest_algorithm(&mut self, algorithm: DigestAlgorithm) -> Result<(), Error> {
        self.idle()?;
        self.options.algorithm = algorithm;
        Ok(())
    }

    /// Sets whether the finished file is read back from the server at the end of a run, and compared by its
    /// digest, where the protocol has no digest of the server's for that: WebDAV, tus and the IETF's
    /// protocol. Default: no. Reading goes on after a break, keeps the rate limits, and takes as many bytes
    /// as the file has.
    ///
    /// A file that is another one ends the run with [`Error::DigestMismatch`], and stays there; the next run
    /// uploads it anew, and so does this one if it was there before. A run with a dialect or with sessions,
    /// and one without a digest, does not start.
    ///
    /// # Errors
    /// [`Error::WrongState`] during a run.
    pub fn set_read_back(&mut self, reads_back: bool) -> Result<(), Error> {
        self.idle()?;
        self.options.reads_back = reads_back;
        Ok(())
    }

    /// Sets how many connections send parts of the file at a time at most, where the server takes parts
    /// and the source can be read at several places. 0, the default, is as many as help. A stream uses one.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for more than 6; [`Error::WrongState`] during a run.
    pub fn set_connections(&mut self, connections: u32) -> Result<(), Error> {
        self.idle()?;
        self.options.connections = match connections {
            0..=6 => connections as u8,
            more => {
                return Err(Error::InvalidArgument {
                    what: "number of connections",
                    why: format!("must be 1 to 6, or 0 for as many as help, not {more}"),
                })
            }
        };
        Ok(())
    }

    /// Sets a file in which the run saves states of the digest, so that a resume need not read
    /// again the bytes that the server already has; and the upload's URL in a protocol in which only
    /// that finds it, so that another run of the program can resume. Where it is missing, damaged or of
    /// another file, the upload reads more, or begins anew, and ends right. Only its owner may read it,
    /// and it is removed when the upload is complete. Default: none. Ignored for memory and streams.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty path; [`Error::WrongState`] during a run.
    pub fn set_state_file(&mut self, path: impl Into<PathBuf>) -> Result<(), Error> {
        self.idle()?;
        let path = path.into();
        if path.as_os_str().is_empty() {
            return Err(Error::InvalidArgument {
                what: "state file",
                why: "has an empty path".to_owned(),
            });
        }
        self.options.state_file = Some(path);
        self.options.only_for_key = false;
        Ok(())
    }

    /// Sets a state file as [`set_state_file`](Self::set_state_file) does. It is written only in a
    /// protocol in which nothing but the upload's URL finds it, and its directory is made then, for its
    /// owner only: an upload in another protocol leaves no trace.
    ///
    /// # Errors
    /// As [`set_state_file`](Self::set_state_file).
    pub fn set_key_file(&mut self, path: impl Into<PathBuf>) -> Result<(), Error> {
        self.set_state_file(path)?;
        self.options.only_for_key = true;
        Ok(())
    }

    /// Sets presigned URLs of S3 and its likes, to which the parts of the file go, in place of the client's URL: a JSON object.
    ///
    /// It has `part_size`, the number of bytes in each part but the last, `parts`, a list with a URL for each part in order
    /// (`PUT`), and `complete`, the URL that makes a file of them (`POST`); and perhaps `list`, a URL or several that give the
    /// parts that are there (`GET`), `abort` (`DELETE`) and `head`, the URL of the file to come (`HEAD`). The URLs are secrets:
    /// no message and no file of the library shows their queries. Nothing of the client's login goes to them.
    ///
    /// New URLs for the same upload may be set before another run, when the first have expired: it goes on with the parts that
    /// are there.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a text that is no such object; it names the key and what it has to be.
    /// [`Error::WrongState`] during a run.
    pub fn set_parts(&mut self, parts: &str) -> Result<(), Error> {
        self.idle()?;
        self.options.parts = Some(Arc::new(PartsText::read(parts)?));
        Ok(())
    }

    /// Checks the settings that no setter can check alone.
    pub(super) fn check_settings(&self) -> Result<(), Error> {
        if let Some(name) = &self.unusable_name {
            return Err(Error::InvalidArgument {
                what: "file name",
                why: format!(
                    "\"{}\" is not UTF-8; set the name that the server gets (set_name)",
                    name.to_string_lossy()
                ),
            });
        }
        // Memory, and streams that can go back, have a digest in every mode.
        let has_none = self.options.digest == DigestMode::None
            && matches!(self.opener, Opener::File(_) | Opener::Forward(_));
        match self.options.algorithm.offer() {
            [named] if has_none => Err(Error::InvalidArgument {
                what: "digest algorithm",
                why: format!(
                    "{} (set_digest_algorithm) and no digest (set_digest) were both set; set the \
                     algorithm to automatic, or the digest to one pass or first",
                    named.label()
                ),
            }),
            _ => Ok(()),
        }
    }

    fn idle(&self) -> Result<(), Error> {
        match self.stage {
            Stage::Running | Stage::Discarding => Err(Error::WrongState(
                "the upload is running; its settings can be changed when it has ended",
            )),
            Stage::New | Stage::Ended => Ok(()),
        }
    }
}
