/// <summary>resup's C ABI for Delphi 7 to 12 and Free Pascal, 1:1.</summary>
/// <remarks>Made from include/resup.h by `make pascal-api`; changes belong there.
/// Programs use the classes of Resup.Client and Resup.Upload, or the component of Resup.Uploader. A program that
/// calls these functions itself calls ResupLoad first. What include/resup.h says of handles, texts, results and
/// threads holds here; no exception may leave a callback.
/// SPDX-License-Identifier: MIT OR Apache-2.0</remarks>
unit Resup.Api;

{$IFDEF FPC}{$MODE DELPHI}{$ENDIF}
{$Z4}

interface

uses
  SysUtils;

type
  {$IFDEF FPC}
  resup_uint64 = QWord;
  resup_size = PtrUInt;
  {$ELSE}
  {$IF CompilerVersion >= 20}
  resup_uint64 = UInt64;
  resup_size = NativeUInt;
  {$ELSE}
  // These Delphis know UInt64 badly or not at all, and are 32-bit. No file has 2^63 bytes.
  resup_uint64 = Int64;
  resup_size = Cardinal;
  {$IFEND}
  {$ENDIF}
  Presup_uint64 = ^resup_uint64;
  Presup_size = ^resup_size;

  /// <summary>The failure to load the library: it is missing, or is not the one that this unit is for. Message says
  /// which file, and which function or version.</summary>
  EResupLibrary = class(Exception);

// Types
// The handles, what functions return, and what all callbacks share.

type
  /// <summary>A server, and what all uploads to it share.</summary>
  resup_client = record Opaque: Byte; end;
  Presup_client = ^resup_client;
  PPresup_client = ^Presup_client;
  /// <summary>The upload of one file.</summary>
  resup_upload = record Opaque: Byte; end;
  Presup_upload = ^resup_upload;
  PPresup_upload = ^Presup_upload;
  /// <summary>What a function returns: RESUP_OK, or another of the status codes. They are positive, grouped
  /// by what a program can do about them, and never renumbered.</summary>
  resup_status = Integer;

const
  /// <summary>What a callback returns when the upload is to go on. Any other value cancels it.</summary>
  RESUP_CONTINUE = 0;

type
  /// <summary>Releases a callback's `user_data`, once: when another callback takes its place or the handle is
  /// freed, on the thread that does so; at once when the registration fails. May be NULL.</summary>
  resup_destroy_callback = procedure(user_data: Pointer); cdecl;

// Version
// Which version the header and the loaded library are.
//
// Threads: any. Callbacks: none.

const
  /// <summary>The major version of this header.</summary>
  RESUP_VERSION_MAJOR = 0;
  /// <summary>The minor version of this header. With each one the ABI may change until 1.0.</summary>
  RESUP_VERSION_MINOR = 1;
  /// <summary>The patch version of this header.</summary>
  RESUP_VERSION_PATCH = 0;
  /// <summary>This header's version as one number: major * 1000000 + minor * 1000 + patch.</summary>
  RESUP_HEADER_VERSION_NUMBER = 1000;

var
  /// <summary>Returns the version of the library that is loaded, for example "0.1.0".</summary>
  /// <returns>a static text</returns>
  resup_version: function: PAnsiChar; cdecl;
  /// <summary>Returns the loaded library's version as a number, as RESUP_VERSION_NUMBER is the header's.</summary>
  resup_version_number: function: Cardinal; cdecl;

// Status codes
// What functions return: success, then failures in the groups of their causes: the program, the
// file, the network, the server's refusals, its answers, a cancel, this machine.
//
// Threads: any. Callbacks: none.

const
  /// <summary>It is done.</summary>
  RESUP_OK = 0;
  /// <summary>From resup_upload_wait only: the upload goes on; call again.</summary>
  RESUP_PENDING = 1;
  /// <summary>A pointer that must not be NULL is NULL. Correct the program.</summary>
  RESUP_E_NULL = 10;
  /// <summary>What was given as a handle never was one. Correct the program.</summary>
  RESUP_E_HANDLE = 11;
  /// <summary>The handle has been freed before. Correct the program.</summary>
  RESUP_E_FREED = 12;
  /// <summary>A client was given where an upload belongs, or the other way round. Correct the program.</summary>
  RESUP_E_HANDLE_KIND = 13;
  /// <summary>A text is not valid UTF-8 (or UTF-16). Convert it.</summary>
  RESUP_E_UTF8 = 14;
  /// <summary>A value cannot be used; the error message says why.</summary>
  RESUP_E_ARGUMENT = 15;
  /// <summary>The server's address is no http or https URL; the error message says why.</summary>
  RESUP_E_URL = 16;
  /// <summary>Another thread, or a callback, is inside a call on this handle. Wait for it.</summary>
  RESUP_E_BUSY = 17;
  /// <summary>The call does not fit the upload's state; the error message says why.</summary>
  RESUP_E_STATE = 18;
  /// <summary>There is no such file. Let the user choose again.</summary>
  RESUP_E_SOURCE_NOT_FOUND = 30;
  /// <summary>The file may not be read. Let the user see to its permissions.</summary>
  RESUP_E_SOURCE_DENIED = 31;
  /// <summary>A directory or device, no regular file; or its size is not the number of its bytes.</summary>
  RESUP_E_SOURCE_NOT_A_FILE = 32;
  /// <summary>Reading the file failed; the error message has the system's reason.</summary>
  RESUP_E_SOURCE_IO = 33;
  /// <summary>The file changed while it was being uploaded. Run again when it is at rest.</summary>
  RESUP_E_SOURCE_CHANGED = 34;
  /// <summary>The server's name was not found. Check the address and the network, run again.</summary>
  RESUP_E_RESOLVE = 50;
  /// <summary>No connection came about. Check the address and the network, run again.</summary>
  RESUP_E_CONNECT = 51;
  /// <summary>The connection was lost, or the answer was cut, again and again. Run again later.</summary>
  RESUP_E_CONNECTION_LOST = 52;
  /// <summary>A time limit passed again and again. Run again later.</summary>
  RESUP_E_TIMEOUT = 53;
  /// <summary>TLS failed, or the server's certificate is not trusted. Tell the user; do not go on.</summary>
  RESUP_E_TLS = 54;
  /// <summary>The proxy refuses. Check its address, its user and password, and what it lets through.</summary>
  RESUP_E_PROXY = 55;
  /// <summary>The server wants a login, or does not allow this (HTTP 401, 403), or the login failed.</summary>
  RESUP_E_NOT_ALLOWED = 70;
  /// <summary>The file is more than the server takes (HTTP 413).</summary>
  RESUP_E_TOO_LARGE = 71;
  /// <summary>Another client writes this upload (HTTP 423), or uploads the same file. Run again later.</summary>
  RESUP_E_LOCKED = 72;
  /// <summary>The server keeps being busy (HTTP 429, 503). Run again later.</summary>
  RESUP_E_SERVER_BUSY = 73;
  /// <summary>The server keeps failing (HTTP 408, 500, 502, ...), or a login page hides it. Run again.</summary>
  RESUP_E_SERVER_FAILING = 74;
  /// <summary>The server has no room (HTTP 507). Run again when it has.</summary>
  RESUP_E_NO_SPACE = 75;
  /// <summary>The server refused for another reason: see resup_upload_http_status and the error message.</summary>
  RESUP_E_REFUSED = 76;
  /// <summary>The server's answer is not of the protocol. Is the URL right?</summary>
  RESUP_E_BAD_RESPONSE = 90;
  /// <summary>The server's answer is far too long. Is the URL right?</summary>
  RESUP_E_RESPONSE_TOO_LONG = 91;
  /// <summary>The server claims an offset that cannot be; nothing was sent on it. Report it to its owner.</summary>
  RESUP_E_BAD_OFFSET = 92;
  /// <summary>What the server stored is not what was sent, twice in a row.</summary>
  RESUP_E_DIGEST = 93;
  /// <summary>The server does not use the digest that was asked for by name.</summary>
  RESUP_E_DIGEST_UNAVAILABLE = 94;
  /// <summary>The upload was cancelled, by a call or by a callback. It may be run again.</summary>
  RESUP_E_CANCELLED = 110;
  /// <summary>The operating system refused a thread or random numbers. Run again with more resources.</summary>
  RESUP_E_SYSTEM = 120;
  /// <summary>A defect in the library was caught. Free the handle; report the message.</summary>
  RESUP_E_INTERNAL = 121;

var
  /// <summary>Returns what a status means, in one English sentence.</summary>
  /// <param name="status">any value</param>
  /// <returns>a static text, never NULL; for an unknown code, one that says so</returns>
  resup_status_message: function(status: resup_status): PAnsiChar; cdecl;

// Client: making one
// A client has the address of a server, and the settings of all uploads to it.
//
// client  a client
//
// Threads: any. Callbacks: none.

var
  /// <summary>Makes a client for a server. Nothing is sent yet.</summary>
  /// <param name="endpoint">the server's upload address, http or https; copied</param>
  /// <param name="handle">where the client goes on success; resup_client_free frees it</param>
  /// <returns>RESUP_OK, RESUP_E_URL, RESUP_E_NULL, RESUP_E_UTF8; after a failure,
  /// resup_client_error_message(NULL) tells more</returns>
  resup_client_new: function(endpoint: PAnsiChar; handle: PPresup_client): resup_status; cdecl;
  /// <summary>Frees a client. Uploads that were made with it keep what they need of it and go on.</summary>
  /// <param name="client">a client, or NULL, which does nothing</param>
  /// <returns>RESUP_OK; RESUP_E_FREED, RESUP_E_HANDLE, RESUP_E_HANDLE_KIND, which change nothing</returns>
  /// <remarks>Threads: any. Callbacks: the destroy function of the log callback, when no upload of it is left.</remarks>
  resup_client_free: function(client: Presup_client): resup_status; cdecl;
  /// <summary>Returns the message of the last call that failed on this thread, if it was one for this client:
  /// its setters, and the making of uploads.</summary>
  /// <param name="client">a client; or NULL for calls that failed without one, such as resup_client_new</param>
  /// <returns>a text, never NULL, empty if it was none of these; valid until this thread's next failure</returns>
  /// <remarks>Threads: any, each has its own message. Callbacks: none.</remarks>
  resup_client_error_message: function(client: Presup_client): PAnsiChar; cdecl;

// Client: network
// How the server is reached, how long the client waits, and how often it tries again. Each setting
// counts from the next run of each upload on, but the rate limit at once.
//
// client        a client
// milliseconds  the longest time; more than 0
// Returns RESUP_OK; RESUP_E_ARGUMENT for a value that cannot be used; RESUP_E_NULL for
// a text that is NULL; RESUP_E_UTF8 for one that is not valid; or a handle's error
//
// Threads: any. Callbacks: none.

var
  /// <summary>Sets the proxy that leads to the server. No system's proxy is used for this machine itself.</summary>
  /// <param name="proxy">"none"; "system", the default, for what the environment says (http_proxy,
  /// https_proxy, all_proxy, no_proxy), then, on Windows, the user's Internet Settings
  /// (no PAC scripts); or "scheme://user:password@host:port", of which all but the host
  /// may be left out, user and password percent-encoded. The scheme is http (port 80:
  /// http servers by absolute URLs, https ones by CONNECT), socks4 or socks5 (1080: the
  /// server's name is looked up on this side), socks4a or socks5h (the proxy looks it
  /// up).</param>
  resup_client_set_proxy: function(client: Presup_client; proxy: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the hosts that are reached without a proxy, in place of the environment's no_proxy.</summary>
  /// <param name="list">domains (with all below them), addresses, CIDR blocks, each perhaps with a port, or
  /// "*", between commas; empty for none</param>
  resup_client_set_no_proxy: function(client: Presup_client; list: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the most time for a name lookup, and again for connecting with TLS. Default: 30000.</summary>
  resup_client_set_connect_timeout: function(client: Presup_client; milliseconds: Cardinal): resup_status; cdecl;
  /// <summary>Sets the most time from the end of a request to its answer. It must allow for what the network
  /// still holds of the request (some MB), and for the server's storing it. Default: 120000.</summary>
  resup_client_set_response_timeout: function(client: Presup_client; milliseconds: Cardinal): resup_status; cdecl;
  /// <summary>Sets the most time for which the network may take nothing while there is something to send. A
  /// transfer that moves, however slowly, is never ended. Default: 60000.</summary>
  resup_client_set_stall_timeout: function(client: Presup_client; milliseconds: Cardinal): resup_status; cdecl;
  /// <summary>Sets the most file bytes per second that all uploads of this client send together. Counts at
  /// once, for running uploads too.</summary>
  /// <param name="bytes_per_second">0, the default, for no limit</param>
  resup_client_set_rate_limit: function(client: Presup_client; bytes_per_second: resup_uint64): resup_status; cdecl;
  /// <summary>Sets how many attempts in a row may fail, after the first, without the server having got more.</summary>
  /// <param name="limit">0 never tries again. Default: 8. These take 45 s on average, with the default waits.</param>
  resup_client_set_retry_limit: function(client: Presup_client; limit: Cardinal): resup_status; cdecl;
  /// <summary>Sets the most time that attempts may go on, and fail, without the server having got more.
  /// It begins anew after a pause.</summary>
  /// <param name="milliseconds">0, the default, for no limit but that of their number</param>
  resup_client_set_retry_timeout: function(client: Presup_client; milliseconds: Cardinal): resup_status; cdecl;
  /// <summary>Sets the waits between attempts: random, between zero and a bound that starts with the first
  /// value and doubles with each attempt up to the second.</summary>
  /// <param name="first_milliseconds">more than 0. Default: 500.</param>
  /// <param name="longest_milliseconds">not less than the first. Default: 30000.</param>
  resup_client_set_retry_backoff: function(client: Presup_client; first_milliseconds: Cardinal; longest_milliseconds: Cardinal): resup_status; cdecl;

// Client: requests
// How requests and forms are written. Each setting counts from the next run of each upload on.
//
// client  a client
// Returns RESUP_OK; RESUP_E_ARGUMENT for a value that cannot be used; RESUP_E_NULL for
// a text that is NULL; RESUP_E_UTF8 for one that is not valid; or a handle's error
//
// Threads: any. Callbacks: none.

var
  /// <summary>Sets the User-Agent header. Default: "resup/" and the version.</summary>
  /// <param name="user_agent">one line of ASCII</param>
  resup_client_set_user_agent: function(client: Presup_client; user_agent: PAnsiChar): resup_status; cdecl;

const
  /// <summary>The one that the server speaks, by its first response. The default.</summary>
  RESUP_PROTOCOL_AUTO = 0;
  /// <summary>Form resume, the protocol of docs/PROTOCOL.md.</summary>
  RESUP_PROTOCOL_FORM = 1;
  /// <summary>tus 1.0.</summary>
  RESUP_PROTOCOL_TUS = 2;
  /// <summary>The IETF's resumable uploads: drafts of them, and the RFC to come.</summary>
  RESUP_PROTOCOL_IETF = 3;
  /// <summary>WebDAV: the URL is that of a collection, with a slash at its end, or of the file itself.</summary>
  RESUP_PROTOCOL_DAV = 4;
  /// <summary>Sessions (308), as Google Cloud Storage, uploadx and OneDrive have them.</summary>
  RESUP_PROTOCOL_SESSION = 5;

var
  /// <summary>Sets the protocol that the server speaks. In another one than form resume and WebDAV only the state
  /// file (resup_upload_set_state_file) tells another run where its upload is. In all but form resume a
  /// run with a signing secret or a digest by its name ends with RESUP_E_ARGUMENT.</summary>
  /// <param name="protocol">one of the RESUP_PROTOCOL_ constants</param>
  resup_client_set_protocol: function(client: Presup_client; protocol: Integer): resup_status; cdecl;
  /// <summary>Sets a dialect of forms, in place of a protocol; of both calls the last one counts.</summary>
  /// <param name="dialect">the name of a preset, such as "plain", or a JSON object: docs/DIALECTS.md</param>
  resup_client_set_dialect: function(client: Presup_client; dialect: PAnsiChar): resup_status; cdecl;

const
  /// <summary>Ask by POST, which no cache answers. The default.</summary>
  RESUP_LOCATE_POST = 0;
  /// <summary>Ask by GET, with the fields in the query.</summary>
  RESUP_LOCATE_GET = 1;

var
  /// <summary>Sets how the server is asked for its offset.</summary>
  /// <param name="method">RESUP_LOCATE_POST or RESUP_LOCATE_GET</param>
  resup_client_set_locate_method: function(client: Presup_client; method: Integer): resup_status; cdecl;
  /// <summary>Sets whether the request that creates an upload by tus may carry a whole file of up to 256 KiB. If its
  /// response is lost, that upload stays at the server, and the file goes there once more.</summary>
  /// <param name="allowed">0 for no, the default; else yes, where the server has creation-with-upload</param>
  resup_client_set_creation_with_upload: function(client: Presup_client; allowed: Integer): resup_status; cdecl;

const
  /// <summary>Write file names as browsers do: UTF-8, quote, CR and LF as %22, %0D and %0A. The default.</summary>
  RESUP_FILENAME_WHATWG = 0;
  /// <summary>Write them again as filename* (RFC 8187), for servers that take the first for Latin-1.</summary>
  RESUP_FILENAME_RFC8187 = 1;

var
  /// <summary>Sets how file names are written into forms.</summary>
  /// <param name="style">RESUP_FILENAME_WHATWG or RESUP_FILENAME_RFC8187</param>
  resup_client_set_filename_style: function(client: Presup_client; style: Integer): resup_status; cdecl;

// Client: identity
// Who the user is to the server: login, authorization, signatures. Each setting counts from the
// next run of each upload on. Authorization, headers and cookies go with every request, but never
// to another scheme, host or port than the endpoint's. What the library keeps of a secret is
// overwritten in memory when it is released; not so the buffers through which it was sent.
//
// client  a client
// Returns RESUP_OK; RESUP_E_ARGUMENT for a value that cannot be used; RESUP_E_NULL for
// a text that is NULL; RESUP_E_UTF8 for one that is not valid; or a handle's error
//
// Threads: any. Callbacks: none.

var
  /// <summary>Sets the user name that the server is told with each file. Default: none.</summary>
  /// <param name="user">one line of UTF-8</param>
  resup_client_set_user: function(client: Presup_client; user: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the form by which the client logs in: before the first request, and again when the server
  /// turns a later one away, by a POST of the fields of resup_client_set_login_field. Cookies are
  /// kept. Any answer below 400 counts as a login until the next request shows otherwise.</summary>
  /// <param name="url">of the endpoint's scheme, host and port</param>
  /// <returns>RESUP_OK, RESUP_E_URL, RESUP_E_NULL, RESUP_E_UTF8 or a handle's error</returns>
  resup_client_set_login_form: function(client: Presup_client; url: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets a field of the login form that was set. Setting a name again replaces its value.</summary>
  /// <param name="name">not empty</param>
  /// <param name="value">any text</param>
  resup_client_set_login_field: function(client: Presup_client; name: PAnsiChar; value: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets Basic authorization (RFC 7617), in place of another one.</summary>
  /// <param name="user">not empty, without a colon</param>
  /// <param name="password">may be empty</param>
  resup_client_set_basic_auth: function(client: Presup_client; user: PAnsiChar; password: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets a bearer token (RFC 6750), in place of another authorization.</summary>
  /// <param name="token">printable ASCII</param>
  resup_client_set_bearer_token: function(client: Presup_client; token: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets a header. Setting a name again replaces its value.</summary>
  /// <param name="name">not one that the library sets itself, such as Content-Type</param>
  /// <param name="value">one line</param>
  resup_client_set_header: function(client: Presup_client; name: PAnsiChar; value: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets a cookie, beside those that the server sets. Setting a name again replaces its value.</summary>
  /// <param name="name">a token (RFC 6265, 4.1.1)</param>
  /// <param name="value">printable ASCII without blanks, quotes, commas, semicolons and backslashes</param>
  resup_client_set_cookie: function(client: Presup_client; name: PAnsiChar; value: PAnsiChar): resup_status; cdecl;
  /// <summary>Signs every form with a secret (docs/PROTOCOL.md, "Signing").</summary>
  /// <param name="secret">not NULL; copied</param>
  /// <param name="length">its bytes, more than 0</param>
  resup_client_set_signing_secret: function(client: Presup_client; secret: PByte; length: resup_size): resup_status; cdecl;

const
  /// <summary>Sign with HMAC-SHA-256. The default.</summary>
  RESUP_SIGNING_HMAC_SHA256 = 0;
  /// <summary>Sign with HMAC-MD5, for old servers that know no better.</summary>
  RESUP_SIGNING_HMAC_MD5 = 1;

var
  /// <summary>Sets how forms are signed, where there is a secret.</summary>
  /// <param name="algorithm">RESUP_SIGNING_HMAC_SHA256 or RESUP_SIGNING_HMAC_MD5</param>
  resup_client_set_signing_algorithm: function(client: Presup_client; algorithm: Integer): resup_status; cdecl;

// Client: TLS
// Which server is trusted, and what this side shows to it. Each setting counts from the next run
// of each upload on; files are read at once.
//
// client       a client
// path         a file, PEM or DER
// certificate  path of a file, PEM or DER, with the chain, its own certificate first
// key          path of such a file with the key, not encrypted; may be the same file
// Returns RESUP_OK; RESUP_E_ARGUMENT for a value or file that cannot be used: then nothing has
// changed; RESUP_E_NULL for a text that is NULL; RESUP_E_UTF8 for one that is not valid;
// or a handle's error
//
// Threads: any. Callbacks: none.

const
  /// <summary>Trust the operating system's root certificates. The default.</summary>
  RESUP_TRUST_SYSTEM = 0;
  /// <summary>Trust Mozilla's root certificates, as they were when the library was built.</summary>
  RESUP_TRUST_BUNDLED = 1;

var
  /// <summary>Sets which root certificates are trusted while no CA was given.</summary>
  /// <param name="trust">RESUP_TRUST_SYSTEM or RESUP_TRUST_BUNDLED</param>
  resup_client_set_trust: function(client: Presup_client; trust: Integer): resup_status; cdecl;
  /// <summary>Trusts the CA certificates in a file, and no others but those of further calls. A server may
  /// show one of them as its own. When the file cannot be read, has no certificate, or has one that
  /// cannot be used as a root, none of them is trusted.</summary>
  resup_client_set_ca_file: function(client: Presup_client; path: PAnsiChar): resup_status; cdecl;
  /// <summary>As resup_client_set_ca_file, with a path in UTF-16.</summary>
  resup_client_set_ca_file_utf16: function(client: Presup_client; path: PWideChar): resup_status; cdecl;
  /// <summary>As resup_client_set_ca_file, with the certificates themselves.</summary>
  /// <param name="pem">one certificate or more</param>
  resup_client_set_ca_pem: function(client: Presup_client; pem: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the certificate that this side shows when the server asks for one. Fails also when the key
  /// does not fit. The library's copies of the file are overwritten in memory; not so what its TLS
  /// makes of the key.</summary>
  resup_client_set_client_certificate: function(client: Presup_client; certificate: PAnsiChar; key: PAnsiChar): resup_status; cdecl;
  /// <summary>As resup_client_set_client_certificate, with paths in UTF-16.</summary>
  resup_client_set_client_certificate_utf16: function(client: Presup_client; certificate: PWideChar; key: PWideChar): resup_status; cdecl;
  /// <summary>Sets whether the server's certificate is verified. Without, whoever is on the way can read and
  /// change everything, credentials too; each run logs a warning.</summary>
  /// <param name="verify">0 for no; else yes, the default</param>
  resup_client_set_tls_verify: function(client: Presup_client; verify: Integer): resup_status; cdecl;

// Client: log
// What uploads tell of their course. Secrets and file contents are never logged.

const
  /// <summary>An upload has failed.</summary>
  RESUP_LOG_ERROR = 1;
  /// <summary>Something unusual that the upload gets over: a lost connection, a prefix that differs.</summary>
  RESUP_LOG_WARN = 2;
  /// <summary>The course of an upload.</summary>
  RESUP_LOG_INFO = 3;
  /// <summary>Every step.</summary>
  RESUP_LOG_DEBUG = 4;

type
  /// <summary>Takes a line of the log.</summary>
  /// <param name="level">one of the RESUP_LOG_ constants</param>
  /// <param name="message">one line of UTF-8; valid during the call</param>
  /// <param name="user_data">what was registered with the callback</param>
  /// <returns>RESUP_CONTINUE, or anything else to cancel the upload</returns>
  resup_log_callback = function(level: Integer; message: PAnsiChar; user_data: Pointer): Integer; cdecl;

var
  /// <summary>Registers a log callback, in place of an earlier one, from the next run of each upload on.</summary>
  /// <param name="client">a client</param>
  /// <param name="level">the least important level that is wanted, one of the RESUP_LOG_ constants</param>
  /// <param name="callback">called from within resup_upload_run and resup_upload_wait, on the threads that
  /// called these, so perhaps on several at once; NULL for none</param>
  /// <param name="user_data">given to the callback; may be NULL</param>
  /// <param name="destroy">releases user_data when the callback has been replaced and no upload has it
  /// from its last run, or client and uploads have been freed; on the thread that
  /// does the last of these; at once when registering fails; may be NULL</param>
  /// <returns>RESUP_OK, RESUP_E_ARGUMENT for another level, or a handle's error</returns>
  /// <remarks>Threads: any. Callbacks: the destroy function of the one replaced.</remarks>
  resup_client_on_log: function(client: Presup_client; level: Integer; callback: resup_log_callback; user_data: Pointer; destroy: resup_destroy_callback): resup_status; cdecl;

// Upload: making one
// An upload is made of a file, of memory, or of a stream of the program's. Nothing is sent yet.
//
// client     the server to upload to; may be freed before the upload
// path       the file; a name that is not UTF-8 needs a resup_upload_set_name before a run
// name       the file name for the server
// user_data  the program's own, given to the functions of a stream; may be NULL
// out        where the upload goes on success; resup_upload_free frees it
// Returns RESUP_OK; for a file RESUP_E_SOURCE_NOT_FOUND, RESUP_E_SOURCE_DENIED,
// RESUP_E_SOURCE_NOT_A_FILE, RESUP_E_SOURCE_IO; RESUP_E_ARGUMENT for a name that cannot
// be one; RESUP_E_SYSTEM when there is no memory for the copy; RESUP_E_NULL, for a
// missing function too; RESUP_E_UTF8 or a handle's error. After a failure,
// resup_client_error_message tells more.
//
// Threads: any. Callbacks: none.

var
  /// <summary>Makes an upload of a file, under the file's own name. The file is not kept open.</summary>
  resup_upload_new_file: function(client: Presup_client; path: PAnsiChar; handle: PPresup_upload): resup_status; cdecl;
  /// <summary>As resup_upload_new_file, with a path in UTF-16.</summary>
  resup_upload_new_file_utf16: function(client: Presup_client; path: PWideChar; handle: PPresup_upload): resup_status; cdecl;
  /// <summary>Makes an upload of bytes in memory. Its digest is computed before it is sent, since nothing else
  /// tells two versions of it apart.</summary>
  /// <param name="data">the bytes; copied; may be NULL when there are none</param>
  /// <param name="size">how many</param>
  resup_upload_new_memory: function(client: Presup_client; data: Pointer; size: resup_size; name: PAnsiChar; handle: PPresup_upload): resup_status; cdecl;

type
  /// <summary>Reads from where the last read ended, or the last seek went.</summary>
  /// <param name="buffer">where the bytes go</param>
  /// <param name="size">the most bytes to put there; more than 0</param>
  /// <param name="read">where the number of bytes put there goes: at least 1, or 0 at the end</param>
  /// <returns>0, or any code of the program's own for a failure: the upload ends with
  /// RESUP_E_SOURCE_IO, and the message has the code</returns>
  resup_read_callback = function(buffer: Pointer; size: resup_size; read: Presup_size; user_data: Pointer): Integer; cdecl;
  /// <summary>Sets where the next read begins.</summary>
  /// <param name="offset">bytes from the start; never more than the size</param>
  /// <returns>as for resup_read_callback</returns>
  resup_seek_callback = function(offset: resup_uint64; user_data: Pointer): Integer; cdecl;
  /// <summary>Tells how many bytes there are in the whole. The next read comes after a seek.</summary>
  /// <param name="size">where the number goes</param>
  /// <returns>as for resup_read_callback</returns>
  resup_size_callback = function(size: Presup_uint64; user_data: Pointer): Integer; cdecl;

var
  /// <summary>Makes an upload of what the program's own functions read: a file in an archive, a database's
  /// blob, a stream of another language.</summary>
  /// <remarks>The functions are called only from within resup_upload_run and resup_upload_wait, on the thread
  /// that called these; so after resup_upload_start the upload goes on only while the program waits,
  /// and is cancelled within 100 ms only if they return by then. What they read must stay the same
  /// during a run; other bytes are noticed (RESUP_E_SOURCE_CHANGED). It is read twice, first for its
  /// digest, since nothing else tells two versions of it apart.</remarks>
  /// <remarks>Without seek and size it is read once, from its start to its end, as a pipe is: its size is
  /// RESUP_SIZE_UNKNOWN until then. The server has to speak tus with creation-defer-length, or the
  /// IETF's protocol; a run is refused else (RESUP_E_ARGUMENT). What the server has not confirmed is
  /// kept: a segment, of 8 MiB at most. So it goes on after a lost connection, and in another run with
  /// the same settings, but never anew: a server that has lost more ends it (RESUP_E_SOURCE_IO).</remarks>
  /// <param name="read">reads; a failure takes no bytes, and another run reads again</param>
  /// <param name="seek">sets where the next read begins; NULL only if size is NULL, too</param>
  /// <param name="size">tells the size; NULL only if seek is NULL, too</param>
  /// <param name="destroy">releases user_data, at the latest in resup_upload_free; at once when this
  /// function fails. May be NULL.</param>
  /// <remarks>Threads: any. Callbacks: on failure destroy, else none.</remarks>
  resup_upload_new_stream: function(client: Presup_client; name: PAnsiChar; read: resup_read_callback; seek: resup_seek_callback; size: resup_size_callback; user_data: Pointer; destroy: resup_destroy_callback; handle: PPresup_upload): resup_status; cdecl;
  /// <summary>Frees an upload. One that runs after resup_upload_start is cancelled, and no callback is
  /// called for that; what the server has is kept there.</summary>
  /// <param name="upload">an upload, or NULL, which does nothing</param>
  /// <returns>RESUP_OK; RESUP_E_BUSY while another thread, or a callback of this upload, is inside a
  /// call on it; RESUP_E_FREED, RESUP_E_HANDLE, RESUP_E_HANDLE_KIND. After an error
  /// nothing has changed.</returns>
  /// <remarks>Threads: any. Callbacks: the destroy functions of the registered callbacks.</remarks>
  resup_upload_free: function(upload: Presup_upload): resup_status; cdecl;

// Upload: settings
// What is uploaded under which name, and how. Each setting counts from the next run on.
//
// upload  an upload
// path    the state file: not empty, and a place of its own for each upload
// Returns RESUP_OK; RESUP_E_ARGUMENT for a value that cannot be used; RESUP_E_NULL for a text
// that is NULL; RESUP_E_UTF8 for one that is not valid; RESUP_E_STATE during a run;
// RESUP_E_BUSY or a handle's error
//
// Threads: one at a time. Callbacks: none.

var
  /// <summary>Sets the file name that the server is told. Default: the file's own.</summary>
  /// <param name="name">without a path, at most 1024 bytes; needed where the file's own is not UTF-8</param>
  resup_upload_set_name: function(upload: Presup_upload; name: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the directory on the server. Default: empty, the server's own choice.</summary>
  /// <param name="directory">names, separated by /</param>
  resup_upload_set_directory: function(upload: Presup_upload; directory: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the file's MIME type. Default: by the extension of its name, else application/octet-stream.</summary>
  /// <param name="content_type">ASCII, type/subtype and perhaps parameters after a semicolon</param>
  resup_upload_set_content_type: function(upload: Presup_upload; content_type: PAnsiChar): resup_status; cdecl;
  /// <summary>Adds a form field of the program's own to every request. The same name replaces the value.</summary>
  /// <param name="name">none of the protocol's own names</param>
  /// <param name="value">any text</param>
  resup_upload_set_field: function(upload: Presup_upload; name: PAnsiChar; value: PAnsiChar): resup_status; cdecl;

const
  /// <summary>Compute none, for networks and servers that compare by themselves: neither a prefix on the server
  /// nor the whole file is compared then, and a new mode or link during a run is a change of the file.</summary>
  RESUP_DIGEST_NONE = 0;
  /// <summary>Compute the digest while the file is sent. The default.</summary>
  RESUP_DIGEST_ONE_PASS = 1;
  /// <summary>Compute it before the first request: a server that has the content needs no byte of it.</summary>
  RESUP_DIGEST_FIRST = 2;

var
  /// <summary>Sets whether and when the digest of the file is computed. That of memory, and of a stream with a
  /// size, is computed before the first request in every mode: nothing else tells two versions apart.</summary>
  /// <remarks>With RESUP_DIGEST_NONE for a file and an algorithm by its name the start fails (RESUP_E_ARGUMENT).</remarks>
  /// <param name="mode">RESUP_DIGEST_NONE, RESUP_DIGEST_ONE_PASS or RESUP_DIGEST_FIRST</param>
  resup_upload_set_digest: function(upload: Presup_upload; mode: Integer): resup_status; cdecl;
  /// <summary>Sets whether the finished file is read back at the end, and its digest compared, where the server tells
  /// none: by WebDAV, tus, IETF. Another file ends the run (RESUP_E_DIGEST) and stays there; the next run
  /// replaces it. With a dialect, sessions or RESUP_DIGEST_NONE the start fails (RESUP_E_ARGUMENT).</summary>
  /// <param name="read_back">0 for no, the default; else yes</param>
  resup_upload_set_read_back: function(upload: Presup_upload; read_back: Integer): resup_status; cdecl;

const
  /// <summary>The best one that both sides have. The default.</summary>
  RESUP_DIGEST_ALGORITHM_AUTOMATIC = 0;
  /// <summary>BLAKE3 with 256 bits, the fastest.</summary>
  RESUP_DIGEST_ALGORITHM_BLAKE3 = 1;
  /// <summary>SHA-256.</summary>
  RESUP_DIGEST_ALGORITHM_SHA256 = 2;
  /// <summary>MD5, which every server has. It protects against accidents, not against an attacker.</summary>
  RESUP_DIGEST_ALGORITHM_MD5 = 3;

var
  /// <summary>Sets the algorithm of the digest. With one that is named the run ends with
  /// RESUP_E_DIGEST_UNAVAILABLE where the server does not use it.</summary>
  /// <param name="algorithm">one of the RESUP_DIGEST_ALGORITHM_ constants</param>
  resup_upload_set_digest_algorithm: function(upload: Presup_upload; algorithm: Integer): resup_status; cdecl;
  /// <summary>Sets a file in which the upload keeps states of the digest, so that a resume by another run of
  /// the program does not read again what the server already has; and its URL, where only that finds
  /// it (tus), or what the storage told of its parts (presigned). Default: none. Where it is missing,
  /// damaged or of another file, the upload reads more or begins anew, and ends right. Only its owner
  /// may read it; it is removed when the upload is complete. A file at that path that is no state file
  /// is left as it is. Memory and streams have no state file.</summary>
  resup_upload_set_state_file: function(upload: Presup_upload; path: PAnsiChar): resup_status; cdecl;
  /// <summary>As resup_upload_set_state_file, with a path in UTF-16.</summary>
  resup_upload_set_state_file_utf16: function(upload: Presup_upload; path: PWideChar): resup_status; cdecl;

const
  /// <summary>Send everything that is left in one request, as long as that works. The default.</summary>
  RESUP_SEGMENT_UNLIMITED = 0;
  /// <summary>Send segments from the first request on, whose size follows the network.</summary>
  RESUP_SEGMENT_AUTOMATIC = 1;

var
  /// <summary>Sets the most file bytes that one request carries. Seldom needed. After a request that brought
  /// nothing (servers and proxies may see it only when it is whole) the next one carries a quarter,
  /// from 4 MiB down to 64 KiB; the size then grows while a segment takes less than 5 s, and shrinks
  /// after more than 20 s. A server's own limit counts, and after an HTTP 413 the size is halved.</summary>
  /// <param name="bytes">a number of bytes, RESUP_SEGMENT_UNLIMITED or RESUP_SEGMENT_AUTOMATIC</param>
  resup_upload_set_segment_size: function(upload: Presup_upload; bytes: resup_uint64): resup_status; cdecl;
  /// <summary>Sets how many connections send parts of the file at a time at most, where the server takes parts and the
  /// file can be read at several places. Streams use one.</summary>
  /// <param name="connections">1 to 6, or 0, the default, for as many as help</param>
  resup_upload_set_connections: function(upload: Presup_upload; connections: Cardinal): resup_status; cdecl;
  /// <summary>Sets presigned URLs of S3 and its likes, to which the parts of the file go in place of the client's URL;
  /// docs/OTHER-SERVERS.md has the keys. They are secrets, and get nothing of the client's login.</summary>
  /// <param name="parts">JSON: {"part_size": 8388608, "parts": ["https://...", ...], "complete": "https://..."}</param>
  resup_upload_set_parts: function(upload: Presup_upload; parts: PAnsiChar): resup_status; cdecl;
  /// <summary>Sets the most file bytes per second that this upload sends. Counts at once, also during a run.</summary>
  /// <param name="bytes_per_second">0, the default, for no limit</param>
  /// <returns>RESUP_OK or a handle's error</returns>
  /// <remarks>Threads: any, at any time, callbacks included. Callbacks: none.</remarks>
  resup_upload_set_rate_limit: function(upload: Presup_upload; bytes_per_second: resup_uint64): resup_status; cdecl;

// Upload: running
// A run goes on until the server has confirmed the whole file, or until it fails. What the server
// has is kept there: after a failure or a cancel the upload may be run again, and goes on from
// there. resup_upload_cancel, resup_upload_pause and resup_upload_resume return at once.
//
// upload  an upload
// Returns RESUP_OK or a handle's error
//
// Threads: any, at any time, callbacks included. Callbacks: none.

var
  /// <summary>Uploads, and returns at the end. On the way the callbacks are called, on this thread. After a
  /// lost connection or a failure of the server it waits and goes on, within the client's limits.</summary>
  /// <returns>RESUP_OK when the server has confirmed the whole file; RESUP_E_CANCELLED; any of the
  /// errors of the file, the network and the server; RESUP_E_ARGUMENT when it still needs
  /// a name; RESUP_E_STATE when it was started before; RESUP_E_BUSY, RESUP_E_SYSTEM,
  /// RESUP_E_INTERNAL or a handle's error. resup_upload_error_message tells more.</returns>
  /// <remarks>Threads: one at a time. Callbacks: all.</remarks>
  resup_upload_run: function(upload: Presup_upload): resup_status; cdecl;
  /// <summary>Starts an upload and returns at once. It goes on by itself, on a thread of the library, which
  /// calls nothing: call resup_upload_wait, from a timer for example, for the callbacks and the end.</summary>
  /// <returns>RESUP_OK; RESUP_E_STATE when it is running; RESUP_E_ARGUMENT when it still needs a
  /// name; RESUP_E_BUSY, RESUP_E_SYSTEM, RESUP_E_INTERNAL or a handle's error</returns>
  /// <remarks>Threads: one at a time. Callbacks: the destroy function of a log callback that was replaced.</remarks>
  resup_upload_start: function(upload: Presup_upload): resup_status; cdecl;

const
  /// <summary>For resup_upload_wait: this and everything above means as long as it takes.</summary>
  RESUP_FOREVER = 2147483647;

var
  /// <summary>Calls the callbacks for what happened since the last call, on this thread, and waits for more.
  /// Without it no outcome is lost, but of states and log lines all but the last 64 and 1000.</summary>
  /// <param name="timeout_ms">the most time to wait, in milliseconds; 0 only looks; RESUP_FOREVER</param>
  /// <returns>RESUP_PENDING while the upload goes on; at its end, and from then on, what
  /// resup_upload_run would have returned; RESUP_E_STATE before resup_upload_start</returns>
  /// <remarks>Threads: one at a time. Callbacks: all.</remarks>
  resup_upload_wait: function(upload: Presup_upload; timeout_ms: Cardinal): resup_status; cdecl;
  /// <summary>Takes an upload back, and returns at the end: the server drops what it has of the file, and a
  /// later run begins anew. A complete file stays. What the server does not have is a success, too.
  /// Time limits, retries and a cancel are as in a run. A success removes the state file.</summary>
  /// <returns>RESUP_OK; RESUP_E_REFUSED for a complete file, and where the server takes none back;
  /// RESUP_E_STATE during a run, or when its URL is not known (tus); else as resup_upload_run</returns>
  /// <remarks>Threads: one at a time. Callbacks: those for states, for the log, and of a stream.</remarks>
  resup_upload_discard: function(upload: Presup_upload): resup_status; cdecl;
  /// <summary>Ends a run or a discard: the call inside returns RESUP_E_CANCELLED within 100 ms, also when the
  /// network hangs. Before the first run it ends that one at its start; after a run it does nothing.</summary>
  resup_upload_cancel: function(upload: Presup_upload): resup_status; cdecl;
  /// <summary>Pauses an upload: its connection is closed, and it waits for resup_upload_resume.</summary>
  resup_upload_pause: function(upload: Presup_upload): resup_status; cdecl;
  /// <summary>Goes on after resup_upload_pause, from where the server is then.</summary>
  resup_upload_resume: function(upload: Presup_upload): resup_status; cdecl;

// Upload: callbacks
// Callbacks are called from within resup_upload_run and resup_upload_wait, on the thread that
// called these. A callback that is registered takes the place of the earlier one.
//
// upload     an upload
// callback   the function that is called; NULL for none
// user_data  given to the callback; may be NULL
// destroy    releases user_data, at once when registering fails; may be NULL
// Returns RESUP_OK, RESUP_E_BUSY or a handle's error
//
// Threads: one at a time. Callbacks: the destroy function of the one replaced.

type
  /// <summary>Takes the numbers, about ten times a second while they change, and a last time before the end.</summary>
  /// <param name="upload">the upload; its getters and resup_upload_cancel may be called</param>
  /// <param name="position">bytes of the file that the server has or that are on their way</param>
  /// <param name="size">bytes in the whole file, or RESUP_SIZE_UNKNOWN</param>
  /// <returns>RESUP_CONTINUE, or anything else to cancel</returns>
  resup_progress_callback = function(upload: Presup_upload; position: resup_uint64; size: resup_uint64; user_data: Pointer): Integer; cdecl;

var
  /// <summary>Registers the progress callback.</summary>
  resup_upload_on_progress: function(upload: Presup_upload; callback: resup_progress_callback; user_data: Pointer; destroy: resup_destroy_callback): resup_status; cdecl;

const
  /// <summary>Not started. (0 is no state: getters return it for a handle that is not valid.)</summary>
  RESUP_STATE_READY = 1;
  /// <summary>Reading what the server already has, for the digest.</summary>
  RESUP_STATE_HASHING = 2;
  /// <summary>Asking the server what it has.</summary>
  RESUP_STATE_LOCATING = 3;
  /// <summary>Sending.</summary>
  RESUP_STATE_SENDING = 4;
  /// <summary>Everything is handed over; the server is to confirm it.</summary>
  RESUP_STATE_VERIFYING = 5;
  /// <summary>Waiting to try again; see resup_upload_retry_in and resup_upload_error_message.</summary>
  RESUP_STATE_WAITING = 6;
  /// <summary>Paused by the program.</summary>
  RESUP_STATE_PAUSED = 7;
  /// <summary>The server has confirmed the whole file.</summary>
  RESUP_STATE_COMPLETE = 8;
  /// <summary>Given up; see resup_upload_error_message.</summary>
  RESUP_STATE_FAILED = 9;
  /// <summary>Ended by the program.</summary>
  RESUP_STATE_CANCELLED = 10;

type
  /// <summary>Takes each new state.</summary>
  /// <param name="state">one of the RESUP_STATE_ constants</param>
  /// <returns>RESUP_CONTINUE, or anything else to cancel</returns>
  resup_state_callback = function(upload: Presup_upload; state: Integer; user_data: Pointer): Integer; cdecl;

var
  /// <summary>Registers the state callback.</summary>
  resup_upload_on_state: function(upload: Presup_upload; callback: resup_state_callback; user_data: Pointer; destroy: resup_destroy_callback): resup_status; cdecl;

type
  /// <summary>Takes the outcome, once at the end of every run, after all other callbacks.</summary>
  /// <param name="status">what resup_upload_run or resup_upload_wait is about to return</param>
  /// <returns>not looked at; return RESUP_CONTINUE</returns>
  resup_complete_callback = function(upload: Presup_upload; status: resup_status; user_data: Pointer): Integer; cdecl;

var
  /// <summary>Registers the completion callback: the last one of a run, once, when its end is first told.</summary>
  resup_upload_on_complete: function(upload: Presup_upload; callback: resup_complete_callback; user_data: Pointer; destroy: resup_destroy_callback): resup_status; cdecl;

// Upload: numbers
// What an upload has done, and how it goes on. For a handle that is not valid each function
// returns 0.
//
// upload  an upload
//
// Threads: any, at any time. Callbacks: none.

var
  /// <summary>Returns the state, one of the RESUP_STATE_ constants.</summary>
  resup_upload_state: function(upload: Presup_upload): Integer; cdecl;

const
  /// <summary>The size of a stream without a size, until its end was read.</summary>
  RESUP_SIZE_UNKNOWN = resup_uint64(-1);

var
  /// <summary>Returns the bytes in the whole file; 0 before a run has opened it, or RESUP_SIZE_UNKNOWN.</summary>
  resup_upload_size: function(upload: Presup_upload): resup_uint64; cdecl;
  /// <summary>Returns the bytes that the server has confirmed to hold, from the start of the file.</summary>
  resup_upload_offset: function(upload: Presup_upload): resup_uint64; cdecl;
  /// <summary>Returns the confirmed bytes and those handed to the network since: what a progress bar shows. It
  /// goes back when a lost connection has lost some.</summary>
  resup_upload_position: function(upload: Presup_upload): resup_uint64; cdecl;
  /// <summary>Returns the file bytes handed to the network in this run, those that were lost included.</summary>
  resup_upload_bytes_sent: function(upload: Presup_upload): resup_uint64; cdecl;
  /// <summary>Returns the file bytes that the server had at this run's beginning: they were not sent.</summary>
  resup_upload_bytes_skipped: function(upload: Presup_upload): resup_uint64; cdecl;
  /// <summary>Returns the bytes per second over the last seconds; 0 while nothing is being sent.</summary>
  resup_upload_rate: function(upload: Presup_upload): resup_uint64; cdecl;
  /// <summary>Returns the milliseconds left to the end at the present rate; RESUP_FOREVER when unknown.</summary>
  resup_upload_time_left: function(upload: Presup_upload): Cardinal; cdecl;
  /// <summary>Returns how many attempts this run has begun: 1, and 1 more after each failure and pause.</summary>
  resup_upload_attempts: function(upload: Presup_upload): Cardinal; cdecl;
  /// <summary>Returns the milliseconds left until the next attempt in RESUP_STATE_WAITING; else 0.</summary>
  resup_upload_retry_in: function(upload: Presup_upload): Cardinal; cdecl;
  /// <summary>Returns the HTTP status of the server's last answer in this run; 0 when there was none.</summary>
  resup_upload_http_status: function(upload: Presup_upload): Integer; cdecl;
  /// <summary>Returns the algorithm of the digest, one of the RESUP_DIGEST_ALGORITHM_ constants;
  /// RESUP_DIGEST_ALGORITHM_AUTOMATIC before the server has agreed to one, and without a digest.</summary>
  resup_upload_digest_algorithm: function(upload: Presup_upload): Integer; cdecl;
  /// <summary>Returns 1 when the last run failed and another one, later and unchanged, may succeed; else 0.</summary>
  resup_upload_is_retryable: function(upload: Presup_upload): Integer; cdecl;

// Upload: texts
// What the server and the library tell of an upload.
//
// upload  an upload
// Returns a text, or NULL when there is none or the handle is not valid; it is valid until
// resup_upload_free
//
// Threads: any, at any time. Callbacks: none.

var
  /// <summary>Returns the protocol or dialect that the server has answered in, such as "tus" or "plain".</summary>
  resup_upload_protocol: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns the server's own key of the upload.</summary>
  resup_upload_id: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns where the finished file is to be found, in the server's words.</summary>
  resup_upload_location: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns the digest of the whole file in lower-case hex, once it is complete; NULL before, and
  /// when the server had the file already and it was not read.</summary>
  resup_upload_digest: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns resup_upload_digest where that is an MD5, else NULL.</summary>
  resup_upload_md5: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns the server's last message for a person.</summary>
  resup_upload_server_message: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns the start of the body, up to 200 characters in one line, of the server's last refusal in
  /// this run: what a proxy or a login page says where the server has no message.</summary>
  resup_upload_server_excerpt: function(upload: Presup_upload): PAnsiChar; cdecl;
  /// <summary>Returns what went wrong in the last call on this upload that failed, and what to do about it.
  /// During a run it tells why the last attempt failed, until the server answers again: why it waits.</summary>
  /// <returns>a text, empty when nothing failed since the last run began or ended well, NULL for a
  /// handle that is not valid; it is valid until resup_upload_free</returns>
  resup_upload_error_message: function(upload: Presup_upload): PAnsiChar; cdecl;

const
  /// <summary>The name of the library's file.</summary>
  {$IFDEF MSWINDOWS}
  ResupFile = 'resup.dll';
  {$ELSE}
  // Free Pascal and Delphi name macOS differently.
  {$IFDEF MACOS} {$DEFINE DARWIN} {$ENDIF}
  {$IFDEF DARWIN}
  ResupFile = 'libresup.dylib';
  {$ELSE}
  ResupFile = 'libresup.so.0.1';
  {$ENDIF}
  {$ENDIF}

/// <summary>Loads the library, once for a program: it stays loaded, since it has threads. The first call
/// counts, later ones do nothing; after a failure it may be called again. Threads: any.</summary>
/// <param name="AFileName">the library with its path; empty for ResupFile beside the program, else where the
/// system looks for it</param>
/// <exception cref="EResupLibrary">the file or a function is missing, or the version is another</exception>
procedure ResupLoad(const AFileName: string = '');

/// <summary>Returns the file that was loaded; empty before.</summary>
function ResupLoadedFile: string;

implementation

uses
  {$IFDEF FPC}
  DynLibs,
  {$ELSE}
  {$IFDEF MSWINDOWS}
  Windows,
  {$ENDIF}
  {$ENDIF}
  SyncObjs;

type
  THandleOfLibrary = {$IFDEF FPC}TLibHandle{$ELSE}HMODULE{$ENDIF};

var
  Lock: TCriticalSection;
  Loading: THandleOfLibrary;
  LoadingFile, LoadedFile: string;

function Reason: string;
begin
  {$IFDEF FPC}
  Result := GetLoadErrorStr;
  {$ELSE}
  Result := SysErrorMessage(GetLastError);
  {$ENDIF}
end;

function FindFunction(const AName: AnsiString): Pointer;
begin
  {$IFDEF FPC}
  Result := GetProcedureAddress(Loading, AName);
  {$ELSE}
  Result := GetProcAddress(Loading, {$IFDEF MSWINDOWS}PAnsiChar(AName){$ELSE}PChar(string(AName)){$ENDIF});
  {$ENDIF}
  if Result = nil then
    raise EResupLibrary.CreateFmt('%s has no function %s: it is not resup, or another version than %d.%d.%d; ' +
      'put the one that belongs to Resup.Api.pas in its place', [LoadingFile, string(AName), RESUP_VERSION_MAJOR,
      RESUP_VERSION_MINOR, RESUP_VERSION_PATCH]);
end;

// Until version 1.0 the ABI may change with each minor version.
procedure CheckVersion;
begin
  @resup_version_number := FindFunction('resup_version_number');
  @resup_version := FindFunction('resup_version');
  if resup_version_number() div 1000 <> RESUP_HEADER_VERSION_NUMBER div 1000 then
    raise EResupLibrary.CreateFmt('%s is resup %s; Resup.Api.pas is for %d.%d: take both from one version',
      [LoadingFile, string(AnsiString(resup_version())), RESUP_VERSION_MAJOR, RESUP_VERSION_MINOR]);
end;

procedure LoadFrom(const AFileName: string);
begin
  LoadingFile := AFileName;
  if AFileName = '' then
  begin
    LoadingFile := ExtractFilePath(ParamStr(0)) + ResupFile;
    if not FileExists(LoadingFile) then
      LoadingFile := ResupFile;
  end;
  Loading := LoadLibrary({$IFDEF FPC}LoadingFile{$ELSE}PChar(LoadingFile){$ENDIF});
  if Loading = 0 then
    raise EResupLibrary.CreateFmt('%s cannot be loaded (%s): put it beside %s, in the same bits, 32 or 64',
      [LoadingFile, Reason, ExtractFileName(ParamStr(0))]);
  try
    CheckVersion;
    @resup_version := FindFunction('resup_version');
    @resup_version_number := FindFunction('resup_version_number');
    @resup_status_message := FindFunction('resup_status_message');
    @resup_client_new := FindFunction('resup_client_new');
    @resup_client_free := FindFunction('resup_client_free');
    @resup_client_error_message := FindFunction('resup_client_error_message');
    @resup_client_set_proxy := FindFunction('resup_client_set_proxy');
    @resup_client_set_no_proxy := FindFunction('resup_client_set_no_proxy');
    @resup_client_set_connect_timeout := FindFunction('resup_client_set_connect_timeout');
    @resup_client_set_response_timeout := FindFunction('resup_client_set_response_timeout');
    @resup_client_set_stall_timeout := FindFunction('resup_client_set_stall_timeout');
    @resup_client_set_rate_limit := FindFunction('resup_client_set_rate_limit');
    @resup_client_set_retry_limit := FindFunction('resup_client_set_retry_limit');
    @resup_client_set_retry_timeout := FindFunction('resup_client_set_retry_timeout');
    @resup_client_set_retry_backoff := FindFunction('resup_client_set_retry_backoff');
    @resup_client_set_user_agent := FindFunction('resup_client_set_user_agent');
    @resup_client_set_protocol := FindFunction('resup_client_set_protocol');
    @resup_client_set_dialect := FindFunction('resup_client_set_dialect');
    @resup_client_set_locate_method := FindFunction('resup_client_set_locate_method');
    @resup_client_set_creation_with_upload := FindFunction('resup_client_set_creation_with_upload');
    @resup_client_set_filename_style := FindFunction('resup_client_set_filename_style');
    @resup_client_set_user := FindFunction('resup_client_set_user');
    @resup_client_set_login_form := FindFunction('resup_client_set_login_form');
    @resup_client_set_login_field := FindFunction('resup_client_set_login_field');
    @resup_client_set_basic_auth := FindFunction('resup_client_set_basic_auth');
    @resup_client_set_bearer_token := FindFunction('resup_client_set_bearer_token');
    @resup_client_set_header := FindFunction('resup_client_set_header');
    @resup_client_set_cookie := FindFunction('resup_client_set_cookie');
    @resup_client_set_signing_secret := FindFunction('resup_client_set_signing_secret');
    @resup_client_set_signing_algorithm := FindFunction('resup_client_set_signing_algorithm');
    @resup_client_set_trust := FindFunction('resup_client_set_trust');
    @resup_client_set_ca_file := FindFunction('resup_client_set_ca_file');
    @resup_client_set_ca_file_utf16 := FindFunction('resup_client_set_ca_file_utf16');
    @resup_client_set_ca_pem := FindFunction('resup_client_set_ca_pem');
    @resup_client_set_client_certificate := FindFunction('resup_client_set_client_certificate');
    @resup_client_set_client_certificate_utf16 := FindFunction('resup_client_set_client_certificate_utf16');
    @resup_client_set_tls_verify := FindFunction('resup_client_set_tls_verify');
    @resup_client_on_log := FindFunction('resup_client_on_log');
    @resup_upload_new_file := FindFunction('resup_upload_new_file');
    @resup_upload_new_file_utf16 := FindFunction('resup_upload_new_file_utf16');
    @resup_upload_new_memory := FindFunction('resup_upload_new_memory');
    @resup_upload_new_stream := FindFunction('resup_upload_new_stream');
    @resup_upload_free := FindFunction('resup_upload_free');
    @resup_upload_set_name := FindFunction('resup_upload_set_name');
    @resup_upload_set_directory := FindFunction('resup_upload_set_directory');
    @resup_upload_set_content_type := FindFunction('resup_upload_set_content_type');
    @resup_upload_set_field := FindFunction('resup_upload_set_field');
    @resup_upload_set_digest := FindFunction('resup_upload_set_digest');
    @resup_upload_set_read_back := FindFunction('resup_upload_set_read_back');
    @resup_upload_set_digest_algorithm := FindFunction('resup_upload_set_digest_algorithm');
    @resup_upload_set_state_file := FindFunction('resup_upload_set_state_file');
    @resup_upload_set_state_file_utf16 := FindFunction('resup_upload_set_state_file_utf16');
    @resup_upload_set_segment_size := FindFunction('resup_upload_set_segment_size');
    @resup_upload_set_connections := FindFunction('resup_upload_set_connections');
    @resup_upload_set_parts := FindFunction('resup_upload_set_parts');
    @resup_upload_set_rate_limit := FindFunction('resup_upload_set_rate_limit');
    @resup_upload_run := FindFunction('resup_upload_run');
    @resup_upload_start := FindFunction('resup_upload_start');
    @resup_upload_wait := FindFunction('resup_upload_wait');
    @resup_upload_discard := FindFunction('resup_upload_discard');
    @resup_upload_cancel := FindFunction('resup_upload_cancel');
    @resup_upload_pause := FindFunction('resup_upload_pause');
    @resup_upload_resume := FindFunction('resup_upload_resume');
    @resup_upload_on_progress := FindFunction('resup_upload_on_progress');
    @resup_upload_on_state := FindFunction('resup_upload_on_state');
    @resup_upload_on_complete := FindFunction('resup_upload_on_complete');
    @resup_upload_state := FindFunction('resup_upload_state');
    @resup_upload_size := FindFunction('resup_upload_size');
    @resup_upload_offset := FindFunction('resup_upload_offset');
    @resup_upload_position := FindFunction('resup_upload_position');
    @resup_upload_bytes_sent := FindFunction('resup_upload_bytes_sent');
    @resup_upload_bytes_skipped := FindFunction('resup_upload_bytes_skipped');
    @resup_upload_rate := FindFunction('resup_upload_rate');
    @resup_upload_time_left := FindFunction('resup_upload_time_left');
    @resup_upload_attempts := FindFunction('resup_upload_attempts');
    @resup_upload_retry_in := FindFunction('resup_upload_retry_in');
    @resup_upload_http_status := FindFunction('resup_upload_http_status');
    @resup_upload_digest_algorithm := FindFunction('resup_upload_digest_algorithm');
    @resup_upload_is_retryable := FindFunction('resup_upload_is_retryable');
    @resup_upload_protocol := FindFunction('resup_upload_protocol');
    @resup_upload_id := FindFunction('resup_upload_id');
    @resup_upload_location := FindFunction('resup_upload_location');
    @resup_upload_digest := FindFunction('resup_upload_digest');
    @resup_upload_md5 := FindFunction('resup_upload_md5');
    @resup_upload_server_message := FindFunction('resup_upload_server_message');
    @resup_upload_server_excerpt := FindFunction('resup_upload_server_excerpt');
    @resup_upload_error_message := FindFunction('resup_upload_error_message');
  except
    // Else the system would find it again, by its name, in place of the right one.
    FreeLibrary(Loading);
    Loading := 0;
    raise;
  end;
  LoadedFile := LoadingFile;
end;

procedure ResupLoad(const AFileName: string);
begin
  Lock.Enter;
  try
    if LoadedFile = '' then
      LoadFrom(AFileName);
  finally
    Lock.Leave;
  end;
end;

function ResupLoadedFile: string;
begin
  Lock.Enter;
  try
    Result := LoadedFile;
  finally
    Lock.Leave;
  end;
end;

initialization
  Lock := TCriticalSection.Create;

finalization
  Lock.Free;

end.
