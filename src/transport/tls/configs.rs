//! The TLS settings that a client's connections share.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;

use crate::http::certificates::Certificates;

/// The TLS settings of a client's last connection, with the version of its options.
///
/// rustls keeps the sessions of a server in them: a later connection with the same settings resumes one, and needs
/// neither a certificate nor its verification. After a change of the options there are new settings, without a
/// session.
#[derive(Debug, Default)]
pub(in crate::transport) struct TlsConfigs(Mutex<Option<(u64, Arc<ClientConfig>)>>);

impl TlsConfigs {
    /// Gives the settings for a connection whose options have this version.
    pub(in crate::transport) fn get(
        &self,
        version: u64,
        certificates: &Certificates,
    ) -> Result<Arc<ClientConfig>, String> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = last.as_ref().filter(|(made_with, _)| *made_with == version) {
            return Ok(config.clone());
        }
        let config = super::config(certificates)?;
        *last = Some((version, config.clone()));
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_shared_until_the_options_change_and_send_nothing_before_the_handshake() {
        let certificates = Certificates {
            verify: false,
            ..Certificates::default()
        };
        let configs = TlsConfigs::default();
        let get = |version| configs.get(version, &certificates).unwrap();
        let first = get(1);
        assert!(Arc::ptr_eq(&first, &get(1)));
        assert!(!Arc::ptr_eq(&first, &get(2)));
        assert!(!first.enable_early_data);
    }
}
