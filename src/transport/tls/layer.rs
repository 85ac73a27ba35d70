//! The layer of a connection that speaks TLS.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ProtocolVersion};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};
use ureq::Error;

use crate::transport::names::time_left;
use crate::transport::state::{ConnectionState, Phase};

/// The connector of the layer.
#[derive(Debug)]
pub(in crate::transport) struct TlsLayer {
    /// `None` where the server is no https server.
    pub(in crate::transport) config: Option<Arc<ClientConfig>>,
    pub(in crate::transport) state: Arc<ConnectionState>,
}

impl<In: Transport> Connector<In> for TlsLayer {
    type Out = Either<In, TlsTransport<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(inner) = chained else {
            return Ok(None);
        };
        let config = self.config.as_ref().filter(|_| details.needs_tls());
        let Some(config) = config else {
            return Ok(Some(Either::A(inner)));
        };
        let host = details.uri.host().unwrap_or_default();
        let name = host.trim_matches(['[', ']']);
        let name = ServerName::try_from(name.to_owned())
            .map_err(|_| Error::Tls("its name cannot stand in a certificate"))?;
        let mut connection =
            ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        // The buffer of this layer is the limit.
        connection.set_buffer_limit(None);
        let mut transport = TlsTransport {
            connection,
            socket: TransportAdapter::new(inner, details.current_time.clone()),
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            records: Vec::new(),
            state: self.state.clone(),
        };
        transport.socket.set_timeout(time_left(details));
        transport.connection.complete_io(&mut transport.socket)?;
        Ok(Some(Either::B(transport)))
    }
}

pub(in crate::transport) struct TlsTransport<In: Transport> {
    connection: ClientConnection,
    socket: TransportAdapter<In>,
    buffers: LazyBuffers,
    /// The records that go out together.
    records: Vec<u8>,
    state: Arc<ConnectionState>,
}

impl<In: Transport> TlsTransport<In> {
    /// Sends what TLS has to send, all its records in one write.
    fn send(&mut self) -> io::Result<()> {
        self.records.clear();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut self.records)?;
        }
        self.socket.write_all(&self.records)
    }

    /// Receives more, and answers it where TLS does that by itself.
    fn receive(&mut self) -> io::Result<()> {
        self.connection.read_tls(&mut self.socket)?;
        let processed = self.connection.process_new_packets();
        let is_tls12 = self.connection.protocol_version() == Some(ProtocolVersion::TLSv1_2);
        // In TLS 1.2, rustls itself answers only errors, and a request for a new handshake: no.
        if processed.is_ok() && is_tls12 && self.connection.wants_write() {
            self.state.request().asked_for_handshake = true;
        }
        // While a body is sent, the answer goes out with the next part of it: a look for a response
        // is too short for a write, and a write that fails leaves a gap.
        let sent = match processed.is_ok() && self.state.request().phase() == Phase::Sending {
            true => Ok(()),
            false => self.send(),
        };
        processed.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        sent
    }
}

impl<In: Transport> Transport for TlsTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.socket.set_timeout(timeout);
        self.send()?;
        let mut sent = 0;
        while sent < amount {
            let output = &self.buffers.output()[sent..amount];
            sent += self.connection.writer().write(output)?;
            self.send()?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.socket.set_timeout(timeout);
        loop {
            let input = self.buffers.input_append_buf();
            match self.connection.reader().read(input) {
                Ok(amount) => {
                    self.buffers.input_appended(amount);
                    return Ok(amount > 0);
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.receive()?,
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn is_open(&mut self) -> bool {
        let socket = self.socket.get_mut();
        // What came after the response is unread, or says that the server ends the connection.
        socket.is_open()
            && socket.buffers().input().is_empty()
            && matches!(self.connection.process_new_packets(), Ok(s) if !s.peer_has_closed())
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl<In: Transport> fmt::Debug for TlsTransport<In> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").finish_non_exhaustive()
    }
}
