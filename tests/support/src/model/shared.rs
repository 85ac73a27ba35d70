//! What the connections of a model receiver share, and how they serve requests.

use std::io::{self, BufRead, Cursor, Read, Write};
use std::sync::{Mutex, MutexGuard};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::flaw::{refused_form, refused_head, Flaw};
use super::guard::Guard;
use super::wire::{read_whole, respond};
use super::Options;
use crate::conn::Conn;
use crate::form;
use crate::head::RequestHead;
use crate::multipart::Multipart;
use crate::scripted::reply_with;
use crate::uploads::{get, Fields, Response, Ticket, Uploads};

/// How long a patient receiver lets a newcomer wait for a live writer.
const PATIENCE: Duration = Duration::from_secs(2);
/// After how long a late receiver notices the end of a connection.
const LATE: Duration = Duration::from_millis(2300);

/// The options and the state of a receiver.
pub(super) struct Shared {
    pub options: Options,
    pub uploads: Mutex<Uploads>,
    pub guard: Mutex<Guard>,
}

impl Shared {
    pub fn lock(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().expect("uploads")
    }

    fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().expect("guard")
    }

    /// Serves the requests of one connection.
    pub fn serve(&self, mut conn: Conn) -> io::Result<()> {
        while let Some(raw) = conn.read_head()? {
            self.lock().stats.requests += 1;
            let keep = match RequestHead::parse(&raw) {
                Some(head) => self.handle(&mut conn, &head)?,
                None => {
                    self.respond(&mut conn, &Response::error(400, "not HTTP/1.1"), 0);
                    false
                }
            };
            if !keep && self.options.has(Flaw::ResetsEarly) {
                conn.reset();
                return Ok(());
            }
            if !keep {
                break;
            }
        }
        conn.finish_writing();
        Ok(())
    }

    fn respond(&self, conn: &mut Conn, response: &Response, left: u64) -> u64 {
        respond(conn, response, left, &self.options)
    }

    /// Responds to one request; returns whether the connection can go on.
    fn handle(&self, conn: &mut Conn, head: &RequestHead) -> io::Result<bool> {
        let length = head.content_length().unwrap_or(0);
        let Some(owner) = self.owner(head) else {
            if head.method == "POST" && head.target == "/login" {
                return self.log_in(conn, length);
            }
            let error = Response::error(401, "log in first");
            return Ok(self.respond(conn, &error, length) == 0);
        };
        if let Some(response) = refused_head(head, &self.options) {
            return Ok(self.respond(conn, &response, length) == 0);
        }
        if head.method == "GET" {
            let query = head.query();
            let response = match get(&query, "action") {
                Some("discard") if !self.options.has(Flaw::DiscardByGet) => {
                    Response::error(400, "a discard is a POST")
                }
                _ => self.locate(query, &owner),
            };
            return Ok(self.respond(conn, &response, 0) == 0);
        }
        if head.method != "POST" || head.content_length().is_none() {
            let error = Response::error(411, "POST needs a Content-Length");
            self.respond(conn, &error, 0);
            return Ok(false);
        }
        if self.options.max_body.is_some_and(|most| length > most) {
            let error = Response::error(413, "the body is too long");
            return Ok(self.respond(conn, &error, length) == 0);
        }
        if head.expects_continue() {
            conn.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            conn.flush()?;
        }
        let whole = !self.options.has(Flaw::RefusesPieces) || length < 100;
        if !whole && conn.fill_buf()?.len() < 100 {
            let error = Response::error(400, "a mistake");
            return Ok(self.respond(conn, &error, length) == 0);
        }
        // `unseen`: bytes of the body that were not looked at; `unread`: those of them still on the wire.
        let (response, unseen, unread) = match head.boundary() {
            None => {
                let mut body = read_whole(conn, length)?;
                if self.options.has(Flaw::PlusStays) {
                    body = String::from_utf8_lossy(&body).replace('+', "%2B").into();
                }
                (Ok(self.locate(form::decode(&body), &owner)), 0, 0)
            }
            Some(boundary) if self.options.buffering => {
                let mut body = Cursor::new(read_whole(conn, length)?);
                let response = self.receive(&mut body, boundary, &owner);
                (response, length - body.position(), 0)
            }
            Some(boundary) if self.options.late => {
                let mut body = Vec::new();
                conn.take(length).read_to_end(&mut body)?;
                if (body.len() as u64) < length {
                    sleep(LATE);
                }
                let response = self.receive(&mut Cursor::new(body), boundary, &owner);
                (response, 0, 0)
            }
            Some(boundary) => {
                let mut body = conn.take(length);
                let response = self.receive(&mut body, boundary, &owner);
                (response, body.limit(), body.limit())
            }
        };
        let response = match response {
            Ok(response) => response,
            Err(_) if self.options.has(Flaw::HangsOnNonsense) => {
                io::copy(conn, &mut io::sink())?;
                return Ok(false);
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData || unread == 0 => {
                Response::error(400, &error.to_string())
            }
            Err(error) => return Err(error),
        };
        let unread = self.respond(conn, &response, unread);
        if let Some((id, offset, length)) = response.unwanted {
            let came = length.min(unseen - unread);
            self.lock().count(&id, offset, came);
        }
        Ok(unread == 0)
    }

    /// Finds the owner of a request; `None` if it has no valid login.
    fn owner(&self, head: &RequestHead) -> Option<String> {
        self.guard().owner(head, &self.options)
    }

    /// Responds to the form of a login page.
    fn log_in(&self, conn: &mut Conn, length: u64) -> io::Result<bool> {
        let fields = form::decode(&read_whole(conn, length)?);
        let cookie = self.guard().log_in(&fields, &self.options);
        let Some(cookie) = cookie else {
            let error = Response::error(401, "wrong user or password");
            return Ok(self.respond(conn, &error, 0) == 0);
        };
        let cookie = format!("{cookie}; Path=/; HttpOnly; SameSite=Lax");
        let headers = [("Location", "/"), ("Set-Cookie", &*cookie)];
        conn.write_all(&reply_with(303, &headers, "{}"))?;
        conn.flush()?;
        Ok(true)
    }

    /// Answers a form without a file.
    fn locate(&self, mut fields: Fields, owner: &str) -> Response {
        if let Err(response) = self.admit(&mut fields, owner) {
            return response;
        }
        let action = get(&fields, "action");
        let discards = self.options.discards && action == Some("discard");
        let looks = self.options.discards && get(&fields, "discard") == Some("1");
        let result = self.patiently(|uploads| {
            let response = match () {
                () if discards => uploads.discard(&fields, &self.options),
                () if looks => uploads.look(&fields, &self.options),
                () => uploads.locate(&fields, &self.options),
            };
            match response.status {
                423 => Err(response),
                _ => Ok(response),
            }
        });
        result.unwrap_or_else(|response| response)
    }

    /// Checks a form's signature, and puts its owner in place of the user that it names.
    fn admit(&self, fields: &mut Fields, owner: &str) -> Result<(), Response> {
        self.guard().check(fields, &self.options)?;
        if let Some(response) = refused_form(fields, &self.options) {
            return Err(response);
        }
        if !owner.is_empty() {
            fields.retain(|(name, _)| name != "user");
            fields.push(("user".to_owned(), owner.to_owned()));
        }
        Ok(())
    }

    /// Tries again for a short time, while a live client is writing.
    fn patiently<T>(
        &self,
        act: impl Fn(&mut Uploads) -> Result<T, Response>,
    ) -> Result<T, Response> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Outside of the match, which would hold the lock while it sleeps.
            let tried = act(&mut self.lock());
            match tried {
                Err(response) if response.status == 423 && Instant::now() < deadline => {
                    sleep(Duration::from_millis(20));
                }
                other => return other,
            }
        }
    }

    /// Reads a multipart body: fields, the file, fields. An error if the body is cut short or malformed.
    fn receive(
        &self,
        body: &mut impl BufRead,
        boundary: &str,
        owner: &str,
    ) -> io::Result<Response> {
        let mut parts = Multipart::new(body, boundary)?;
        let mut fields = Fields::new();
        loop {
            match parts.next_name()? {
                None => return Ok(Response::error(400, "a send has a part named file")),
                Some(name) if name == "file" => break,
                Some(name) => {
                    let value = parts.value()?;
                    fields.push((name, value));
                }
            }
        }
        match get(&fields, "action") {
            Some("send") => {}
            Some("store") if self.options.small.is_some() => {}
            _ => return Ok(Response::error(400, "a multipart body is for action=send")),
        }
        if let Err(response) = self.admit(&mut fields, owner) {
            return Ok(response);
        }
        let ticket = self.patiently(|uploads| uploads.begin(&fields, &self.options));
        let mut ticket = match ticket {
            Ok(ticket) => ticket,
            Err(response) => return Ok(response),
        };
        let tail = self.read_file(&mut parts, &mut ticket);
        let response = tail.map(
            |tail| match Guard::check_tail(&tail, &fields, &self.options) {
                Ok(()) => self.lock().finish(&ticket, &tail, &self.options),
                Err(response) => response,
            },
        );
        self.lock().leave(&ticket, response.is_err(), &self.options);
        response
    }

    /// Reads the bytes of the file, and the fields after it.
    fn read_file(
        &self,
        parts: &mut Multipart<impl BufRead>,
        ticket: &mut Ticket,
    ) -> io::Result<Fields> {
        parts.bytes(ticket.length, |bytes| {
            self.lock().append(ticket, bytes, &self.options)
        })?;
        let mut tail = Fields::new();
        while let Some(name) = parts.next_name()? {
            let value = parts.value()?;
            tail.push((name, value));
        }
        Ok(tail)
    }
}
