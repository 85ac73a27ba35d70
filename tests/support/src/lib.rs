//! What the tests of resup share.
