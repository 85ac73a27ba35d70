//! Contract tests of the transport.
