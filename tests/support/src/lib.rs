//! What the tests of resup share.
//!
//! | module | what it gives |
//! | --- | --- |
//! | [`arrows`] | which file of a crate uses which, and circles of files |
//! | [`runs`] | the number of runs of random tests |
//! | [`seed`] | a seed that a failing test shows, so that its run can be repeated |
//! | [`digests`] | the digests of the protocol, by name |
//! | [`files`] | files of pseudo-random bytes, comparison, digests |
//! | [`form_table`] | the forms that every receiver has to take or to refuse |
//! | [`chaos`] | a TCP proxy that cuts, stalls, delays and corrupts at an exact byte |
//! | [`http_proxy`] | a proxy that records requests, and does wrong to some of them |
//! | [`scripted`] | an HTTP server that does what a list of steps says |
//! | [`model`] | a correct receiver of the protocol that lives in memory |
//! | [`hole`] | an address where connecting hangs |
//! | [`names`] | slow name lookups |
//! | [`mistakes`] | the table of first mistakes |
//! | [`squid`] | a real squid, an HTTP proxy |
//! | [`dante`] | a real danted, a proxy for SOCKS 4 and 5 |
//! | [`v2ray`] | a real V2Ray, a proxy for SOCKS 4, 4a and 5 with passwords |
//! | [`nginx`] | a real nginx in front of something |
//! | [`haproxy`] | a real HAProxy with TLS in front of something |
//! | [`tomcat`] | a real Tomcat with the servlet that receives |
//! | [`php`] | PHP's own server with the script that receives |
//! | [`tus`] | servers of other people for tus |
//! | [`dav`] | servers of other people for WebDAV |
//! | [`s3`] | servers of other people for S3 |
//! | [`session`] | servers of other people for sessions |
//! | [`guide`] | the code in the guide's chapters |
//! | [`postgres`] | a real PostgreSQL |
//! | [`chromium`] | a real browser |
//! | [`desktop`] | a screen that nobody sees, for programs with a window |
//! | [`receiver`] | the real receiver as a child process |
//! | [`openssl`] | certificates as OpenSSL makes them |
//! | [`tls`] | throw-away certificate authorities and what they certify |
//! | [`terminal`] | a terminal for a program |
//! | [`tools`] | programs that not every machine has |
//! | [`small_disk`] | a disk that is soon full |
//! | [`preload`] | C libraries that make calls of the system fail |
//! | [`head`] | a request head, raw and parsed |
//!
//! Everything listens on 127.0.0.1 at a port that the system picks, and everything that is
//! dropped ends its threads and sockets before `drop` returns.

mod acceptor;
pub mod arrows;
pub mod azure;
pub mod chaos;
pub mod chromium;
mod conn;
mod daemon;
pub mod dante;
pub mod dav;
pub mod desktop;
pub mod digests;
pub mod files;
mod form;
pub mod form_table;
pub mod forms;
pub mod front;
pub mod guide;
pub mod haproxy;
pub mod head;
pub mod hole;
pub mod http_proxy;
pub mod mistakes;
pub mod model;
mod multipart;
pub mod names;
pub mod nginx;
pub mod openssl;
pub mod php;
pub mod php_fpm;
pub mod postgres;
pub mod preload;
pub mod python;
pub mod receiver;
pub mod runs;
pub mod s3;
pub mod scripted;
pub mod seed;
pub mod session;
pub mod small_disk;
pub mod squid;
pub mod terminal;
pub mod tls;
pub mod tomcat;
pub mod tools;
pub mod tus;
mod uploads;
pub mod v2ray;

#[cfg(test)]
mod tests;
