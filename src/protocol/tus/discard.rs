//! Taking back an upload that goes up in sections.

use super::layout::Layout;
use super::sections::Tus;
use crate::error::Error;
use crate::http::Exchange;
use crate::protocol::resource::{Dialect, Headers};
use crate::protocol::Job;

impl Tus<'_> {
    /// Deletes all sections, unless the server may have made the file of them.
    pub(super) fn delete_all(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        layout: &Layout<'_>,
    ) -> Result<(), Error> {
        self.whole.dialect.learn(exchange, &self.whole.endpoint)?;
        self.whole.dialect.check_deletion()?;
        self.check_unfinished(exchange, job, layout)?;
        for number in 0..layout.urls.len() as u64 {
            let Some((url, _, length)) = layout.at(number * layout.length) else {
                break;
            };
            let place = self.resolve(url)?;
            let request = self.whole.request("DELETE", &place, Headers::new());
            let response = exchange.exchange(request)?;
            match response.status {
                204 | 404 | 410 => {}
                // Something else may have answered, such as a login page.
                200..=299 if self.ask_one(exchange, job, (url, length))?.is_none() => {}
                200..=299 => {
                    return Err(Error::bad_response(format!(
                        "it is that to the deletion of a section, with status {}, and the section is still there",
                        response.status
                    )))
                }
                _ => return Err(self.whole.refusal(&response, job)),
            }
        }
        Ok(())
    }

    /// Checks that no file can have been joined of the sections.
    fn check_unfinished(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        layout: &Layout<'_>,
    ) -> Result<(), Error> {
        // No late answer to an earlier request is on a new connection.
        exchange.renew();
        for number in 0..layout.urls.len() as u64 {
            let Some((url, _, length)) = layout.at(number * layout.length) else {
                break;
            };
            if self.ask_one(exchange, job, (url, length))? != Some(length) {
                return Ok(());
            }
        }
        Err(Error::NotDiscarded {
            why: "the server has all its bytes, and may have made the file of them".to_owned(),
        })
    }
}
