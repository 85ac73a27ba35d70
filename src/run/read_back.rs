//! Reading the finished file back from the server, where the program wants its bytes compared.

use std::io::Read;

use super::driver::Driver;
use super::pace::Pace;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::engine::{Event, FoundBack};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::protocol::ReadBack;

impl Driver<'_> {
    /// Reads the file back, and says what came of it.
    pub(super) fn read_back(&mut self, location: Option<String>) -> Event {
        let mut read = (0, 0);
        let result = self.compare_back(location, &mut read);
        Event::ReadBack {
            read: read.0,
            at: read.1,
            // The source may have been digested for so long that the connection was closed meanwhile.
            result: result.map_err(|stop| self.unsent(stop)),
        }
    }

    /// Reads the file back, and compares it. Counts the bytes that it reads, and says where they end.
    fn compare_back(
        &mut self,
        location: Option<String>,
        (read, at): &mut (u64, u64),
    ) -> Result<FoundBack, Stop> {
        let size = self.job.size;
        if self.source.source.window().is_none() {
            self.source.hash_up_to(size)?;
        }
        let (url, digest) = match (self.readable(location), self.whole_digest()?) {
            (Some(url), Some(digest)) => (url, digest),
            (None, _) => return Err(Stop::Failed(Error::InvalidArgument {
                what: "read back",
                why:
                    "(set_read_back) was set, and the server has neither a digest nor a URL of the \
                          file; it is there, and nothing has compared it"
                        .to_owned(),
            })),
            (_, None) => {
                let why = "a file is read back that has no digest".to_owned();
                return Err(Error::Internal { why }.into());
            }
        };
        self.control.confirm(size);
        self.control.enter(UploadState::Verifying);
        if self.exchange.is_none() {
            self.exchange = Some(self.connector.connect()?);
        }
        let kept = self.read_back.take().filter(|kept| kept.url() == url);
        let mut back = kept.unwrap_or_else(|| ReadBack::new(url, digest.algorithm()));
        self.log(LogLevel::Info, || {
            format!(
                "reading the file back from {}, from {} on",
                back.url(),
                back.at()
            )
        });
        let mut pace = Pace::new(self.control, self.rates);
        let mut receive = |body: &mut dyn Read, buf: &mut [u8]| {
            let n = pace.receive(body, buf)?;
            *read += n as u64;
            Ok(n)
        };
        let result = back.read(Self::connection(&self.exchange), size, &mut receive);
        *at = back.at();
        let has_its_size = match result {
            Ok(has_its_size) => has_its_size,
            Err(error) => {
                self.read_back = Some(back);
                return Err(error.into());
            }
        };
        let found = back.digest();
        self.log(LogLevel::Info, || {
            format!(
                "read back: {} bytes, the digest is {}",
                back.at(),
                found.hex()
            )
        });
        if has_its_size && found == digest {
            return Ok(FoundBack::Equal);
        }
        self.log(LogLevel::Warn, || match has_its_size {
            true => format!(
                "the file that was read back is another one: its digest is {}, and that of this file {}",
                found.hex(),
                digest.hex()
            ),
            false => format!("the file that was read back is another one: it has not {size} bytes"),
        });
        Ok(match self.protocol.abilities().needs_key {
            true => {
                // An upload that is complete takes no other bytes.
                self.answers.id = None;
                FoundBack::Dropped
            }
            false => FoundBack::Other(found),
        })
    }

    /// Gives the URL at which the finished file can be read, if the protocol tells it.
    fn readable(&self, location: Option<String>) -> Option<String> {
        let tells = !self.protocol.abilities().proves_prefix;
        location.filter(|url| tells && Endpoint::parse(url).is_ok())
    }
}
