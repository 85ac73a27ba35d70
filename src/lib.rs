//! Resumable HTML-form uploads with a C ABI.
