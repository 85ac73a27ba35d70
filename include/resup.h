/**
 * @file
 * resup: resumable uploads by ordinary HTML-form POST.
 *
 * Made from the sources by cbindgen; changes belong there.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * A program makes a client for a server and an upload for a file, and runs it:
 *
 *     resup_client *client;
 *     resup_upload *upload;
 *     if (resup_client_new("https://example.org/upload", &client) == RESUP_OK) {
 *         if (resup_upload_new_file(client, "video.mp4", &upload) == RESUP_OK) {
 *             if (resup_upload_run(upload) != RESUP_OK)
 *                 fprintf(stderr, "%s\n", resup_upload_error_message(upload));
 *             resup_upload_free(upload);
 *         }
 *         resup_client_free(client);
 *     }
 *
 * What holds for all functions:
 *
 * Sections. What the comment at the head of a section says of parameters, results, threads and
 * callbacks holds for each function of the section that says nothing else. "Callbacks:" says which
 * of the program's functions a call may call.
 *
 * Handles. A resup_client or resup_upload pointer is a key, not an address: never follow it.
 * Each _new makes one, each _free ends one; _free(NULL) does nothing. A handle that is NULL,
 * was freed, is of the other kind or never was one gets a call refused with RESUP_E_NULL,
 * RESUP_E_FREED, RESUP_E_HANDLE_KIND or RESUP_E_HANDLE ("a handle's error" below); getters then
 * return 0 or NULL.
 *
 * Text is UTF-8, ends with NUL and is copied on entry; a path may be any bytes, except on Windows.
 * Where a function takes uint16_t, it is UTF-16 in the machine's byte order, and ends with 0. A
 * returned text is the library's; each section says how long it is valid. (So never put a call and
 * the error message after it into one printf's arguments: C does not say which is evaluated first.)
 *
 * Sizes and offsets are bytes, times milliseconds. A boolean is an int32_t, where every value but 0
 * is true.
 *
 * Results. Functions return a resup_status; outputs are written only with RESUP_OK. Every call
 * that fails leaves a message: resup_upload_error_message for a call on an upload,
 * resup_client_error_message for one on a client, and resup_client_error_message(NULL) for one
 * without a usable handle or with RESUP_E_BUSY.
 *
 * Threads. No thread of the library ever calls the program: callbacks run only on the thread that
 * is inside resup_upload_run or resup_upload_wait. "Threads: any" functions may be called from
 * every thread at any time. "Threads: one at a time" functions of one handle return RESUP_E_BUSY
 * when another of them has not returned, so also when a callback of that handle calls them.
 * Different handles do not disturb each other.
 *
 * Processes. After a fork() the child may use its copies of the handles, but for one that a thread
 * of the parent is inside. It makes connections of its own. A run that is under way goes on in the
 * parent: in the child resup_upload_wait returns RESUP_E_STATE for it, and it may be run again.
 *
 * Floating point. The program may have exceptions unmasked: the library computes in a state of its
 * own, and the program's is as it was in every callback and after every call.
 *
 * Callbacks must return normally: no C++ exception, longjmp or Delphi exception may leave one.
 */
#ifndef RESUP_H
#define RESUP_H

#include <stddef.h>
#include <stdint.h>

#ifndef RESUP_API
#if defined(_WIN32) && !defined(RESUP_STATIC)
#define RESUP_API __declspec(dllimport)
#else
#define RESUP_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @defgroup types Types
 * The handles, what functions return, and what all callbacks share.
 * @{
 */

/** A server, and what all uploads to it share. */
typedef struct resup_client resup_client;

/** The upload of one file. */
typedef struct resup_upload resup_upload;

/**
 * What a function returns: #RESUP_OK, or another of the status codes. They are positive, grouped
 * by what a program can do about them, and never renumbered.
 */
typedef int32_t resup_status;

/** What a callback returns when the upload is to go on. Any other value cancels it. */
#define RESUP_CONTINUE 0

/**
 * Releases a callback's `user_data`, once: when another callback takes its place or the handle is
 * freed, on the thread that does so; at once when the registration fails. May be NULL.
 */
typedef void (*resup_destroy_callback)(void *user_data);
/** @} */

/**
 * @defgroup version Version
 * Which version the header and the loaded library are.
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/** The major version of this header. */
#define RESUP_VERSION_MAJOR 0
/** The minor version of this header. With each one the ABI may change until 1.0. */
#define RESUP_VERSION_MINOR 1
/** The patch version of this header. */
#define RESUP_VERSION_PATCH 0
/** This header's version as one number: major * 1000000 + minor * 1000 + patch. */
#define RESUP_VERSION_NUMBER 1000

/**
 * Returns the version of the library that is loaded, for example "0.1.0".
 * @return a static text
 */
RESUP_API const char *resup_version(void);

/** Returns the loaded library's version as a number, as #RESUP_VERSION_NUMBER is the header's. */
RESUP_API uint32_t resup_version_number(void);
/** @} */

/**
 * @defgroup status Status codes
 * What functions return: success, then failures in the groups of their causes: the program, the
 * file, the network, the server's refusals, its answers, a cancel, this machine.
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/** It is done. */
#define RESUP_OK 0
/** From resup_upload_wait only: the upload goes on; call again. */
#define RESUP_PENDING 1

/** A pointer that must not be NULL is NULL. Correct the program. */
#define RESUP_E_NULL 10
/** What was given as a handle never was one. Correct the program. */
#define RESUP_E_HANDLE 11
/** The handle has been freed before. Correct the program. */
#define RESUP_E_FREED 12
/** A client was given where an upload belongs, or the other way round. Correct the program. */
#define RESUP_E_HANDLE_KIND 13
/** A text is not valid UTF-8 (or UTF-16). Convert it. */
#define RESUP_E_UTF8 14
/** A value cannot be used; the error message says why. */
#define RESUP_E_ARGUMENT 15
/** The server's address is no http or https URL; the error message says why. */
#define RESUP_E_URL 16
/** Another thread, or a callback, is inside a call on this handle. Wait for it. */
#define RESUP_E_BUSY 17
/** The call does not fit the upload's state; the error message says why. */
#define RESUP_E_STATE 18

/** There is no such file. Let the user choose again. */
#define RESUP_E_SOURCE_NOT_FOUND 30
/** The file may not be read. Let the user see to its permissions. */
#define RESUP_E_SOURCE_DENIED 31
/** A directory or device, no regular file; or its size is not the number of its bytes. */
#define RESUP_E_SOURCE_NOT_A_FILE 32
/** Reading the file failed; the error message has the system's reason. */
#define RESUP_E_SOURCE_IO 33
/** The file changed while it was being uploaded. Run again when it is at rest. */
#define RESUP_E_SOURCE_CHANGED 34

/** The server's name was not found. Check the address and the network, run again. */
#define RESUP_E_RESOLVE 50
/** No connection came about. Check the address and the network, run again. */
#define RESUP_E_CONNECT 51
/** The connection was lost, or the answer was cut, again and again. Run again later. */
#define RESUP_E_CONNECTION_LOST 52
/** A time limit passed again and again. Run again later. */
#define RESUP_E_TIMEOUT 53
/** TLS failed, or the server's certificate is not trusted. Tell the user; do not go on. */
#define RESUP_E_TLS 54
/** The proxy refuses. Check its address, its user and password, and what it lets through. */
#define RESUP_E_PROXY 55

/** The server wants a login, or does not allow this (HTTP 401, 403), or the login failed. */
#define RESUP_E_NOT_ALLOWED 70
/** The file is more than the server takes (HTTP 413). */
#define RESUP_E_TOO_LARGE 71
/** Another client writes this upload (HTTP 423), or uploads the same file. Run again later. */
#define RESUP_E_LOCKED 72
/** The server keeps being busy (HTTP 429, 503). Run again later. */
#define RESUP_E_SERVER_BUSY 73
/** The server keeps failing (HTTP 408, 500, 502, ...), or a login page hides it. Run again. */
#define RESUP_E_SERVER_FAILING 74
/** The server has no room (HTTP 507). Run again when it has. */
#define RESUP_E_NO_SPACE 75
/** The server refused for another reason: see resup_upload_http_status and the error message. */
#define RESUP_E_REFUSED 76

/** The server's answer is not of the protocol. Is the URL right? */
#define RESUP_E_BAD_RESPONSE 90
/** The server's answer is far too long. Is the URL right? */
#define RESUP_E_RESPONSE_TOO_LONG 91
/** The server claims an offset that cannot be; nothing was sent on it. Report it to its owner. */
#define RESUP_E_BAD_OFFSET 92
/** What the server stored is not what was sent, twice in a row. */
#define RESUP_E_DIGEST 93
/** The server does not use the digest that was asked for by name. */
#define RESUP_E_DIGEST_UNAVAILABLE 94

/** The upload was cancelled, by a call or by a callback. It may be run again. */
#define RESUP_E_CANCELLED 110

/** The operating system refused a thread or random numbers. Run again with more resources. */
#define RESUP_E_SYSTEM 120
/** A defect in the library was caught. Free the handle; report the message. */
#define RESUP_E_INTERNAL 121

/**
 * Returns what a status means, in one English sentence.
 * @param status  any value
 * @return a static text, never NULL; for an unknown code, one that says so
 */
RESUP_API const char *resup_status_message(resup_status status);
/** @} */

/**
 * @defgroup client Client: making one
 * A client has the address of a server, and the settings of all uploads to it.
 *
 * @param client  a client
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/**
 * Makes a client for a server. Nothing is sent yet.
 * @param endpoint  the server's upload address, http or https; copied
 * @param out       where the client goes on success; resup_client_free frees it
 * @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8; after a failure,
 *         resup_client_error_message(NULL) tells more
 */
RESUP_API resup_status resup_client_new(const char *endpoint, resup_client **out);

/**
 * Frees a client. Uploads that were made with it keep what they need of it and go on.
 * @param client  a client, or NULL, which does nothing
 * @return #RESUP_OK; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND, which change nothing
 *
 * Threads: any. Callbacks: the destroy function of the log callback, when no upload of it is left.
 */
RESUP_API resup_status resup_client_free(resup_client *client);

/**
 * Returns the message of the last call that failed on this thread, if it was one for this client:
 * its setters, and the making of uploads.
 * @param client  a client; or NULL for calls that failed without one, such as resup_client_new
 * @return a text, never NULL, empty if it was none of these; valid until this thread's next failure
 *
 * Threads: any, each has its own message. Callbacks: none.
 */
RESUP_API const char *resup_client_error_message(const resup_client *client);
/** @} */

/**
 * @defgroup client_network Client: network
 * How the server is reached, how long the client waits, and how often it tries again. Each setting
 * counts from the next run of each upload on, but the rate limit at once.
 *
 * @param client        a client
 * @param milliseconds  the longest time; more than 0
 * @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for
 *         a text that is NULL; #RESUP_E_UTF8 for one that is not valid; or a handle's error
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/**
 * Sets the proxy that leads to the server. No system's proxy is used for this machine itself.
 * @param proxy  "none"; "system", the default, for what the environment says (http_proxy,
 *               https_proxy, all_proxy, no_proxy), then, on Windows, the user's Internet Settings
 *               (no PAC scripts); or "scheme://user:password@host:port", of which all but the host
 *               may be left out, user and password percent-encoded. The scheme is http (port 80:
 *               http servers by absolute URLs, https ones by CONNECT), socks4 or socks5 (1080: the
 *               server's name is looked up on this side), socks4a or socks5h (the proxy looks it
 *               up).
 */
RESUP_API resup_status resup_client_set_proxy(resup_client *client, const char *proxy);

/**
 * Sets the hosts that are reached without a proxy, in place of the environment's no_proxy.
 * @param list  domains (with all below them), addresses, CIDR blocks, each perhaps with a port, or
 *              "*", between commas; empty for none
 */
RESUP_API resup_status resup_client_set_no_proxy(resup_client *client, const char *list);

/** Sets the most time for a name lookup, and again for connecting with TLS. Default: 30000. */
RESUP_API resup_status resup_client_set_connect_timeout(resup_client *client,
                                                        uint32_t milliseconds);

/**
 * Sets the most time from the end of a request to its answer. It must allow for what the network
 * still holds of the request (some MB), and for the server's storing it. Default: 120000.
 */
RESUP_API resup_status resup_client_set_response_timeout(resup_client *client,
                                                         uint32_t milliseconds);

/**
 * Sets the most time for which the network may take nothing while there is something to send. A
 * transfer that moves, however slowly, is never ended. Default: 60000.
 */
RESUP_API resup_status resup_client_set_stall_timeout(resup_client *client, uint32_t milliseconds);

/**
 * Sets the most file bytes per second that all uploads of this client send together. Counts at
 * once, for running uploads too.
 * @param bytes_per_second  0, the default, for no limit
 */
RESUP_API resup_status resup_client_set_rate_limit(resup_client *client, uint64_t bytes_per_second);

/**
 * Sets how many attempts in a row may fail, after the first, without the server having got more.
 * @param limit  0 never tries again. Default: 8. These take 45 s on average, with the default waits.
 */
RESUP_API resup_status resup_client_set_retry_limit(resup_client *client, uint32_t limit);

/**
 * Sets the most time that attempts may go on, and fail, without the server having got more.
 * It begins anew after a pause.
 * @param milliseconds  0, the default, for no limit but that of their number
 */
RESUP_API resup_status resup_client_set_retry_timeout(resup_client *client, uint32_t milliseconds);

/**
 * Sets the waits between attempts: random, between zero and a bound that starts with the first
 * value and doubles with each attempt up to the second.
 * @param first_milliseconds    more than 0. Default: 500.
 * @param longest_milliseconds  not less than the first. Default: 30000.
 */
RESUP_API resup_status resup_client_set_retry_backoff(resup_client *client,
                                                      uint32_t first_milliseconds,
                                                      uint32_t longest_milliseconds);
/** @} */

/**
 * @defgroup client_requests Client: requests
 * How requests and forms are written. Each setting counts from the next run of each upload on.
 *
 * @param client  a client
 * @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for
 *         a text that is NULL; #RESUP_E_UTF8 for one that is not valid; or a handle's error
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/**
 * Sets the User-Agent header. Default: "resup/" and the version.
 * @param user_agent  one line of ASCII
 */
RESUP_API resup_status resup_client_set_user_agent(resup_client *client, const char *user_agent);

/** The one that the server speaks, by its first response. The default. */
#define RESUP_PROTOCOL_AUTO 0
/** Form resume, the protocol of docs/PROTOCOL.md. */
#define RESUP_PROTOCOL_FORM 1
/** tus 1.0. */
#define RESUP_PROTOCOL_TUS 2
/** The IETF's resumable uploads: drafts of them, and the RFC to come. */
#define RESUP_PROTOCOL_IETF 3
/** WebDAV: the URL is that of a collection, with a slash at its end, or of the file itself. */
#define RESUP_PROTOCOL_DAV 4
/** Sessions (308), as Google Cloud Storage, uploadx and OneDrive have them. */
#define RESUP_PROTOCOL_SESSION 5

/**
 * Sets the protocol that the server speaks. In another one than form resume and WebDAV only the state
 * file (resup_upload_set_state_file) tells another run where its upload is. In all but form resume a
 * run with a signing secret or a digest by its name ends with #RESUP_E_ARGUMENT.
 * @param protocol  one of the RESUP_PROTOCOL_ constants
 */
RESUP_API resup_status resup_client_set_protocol(resup_client *client, int32_t protocol);

/**
 * Sets a dialect of forms, in place of a protocol; of both calls the last one counts.
 * @param dialect  the name of a preset, such as "plain", or a JSON object: docs/DIALECTS.md
 */
RESUP_API resup_status resup_client_set_dialect(resup_client *client, const char *dialect);

/** Ask by POST, which no cache answers. The default. */
#define RESUP_LOCATE_POST 0
/** Ask by GET, with the fields in the query. */
#define RESUP_LOCATE_GET 1

/**
 * Sets how the server is asked for its offset.
 * @param method  #RESUP_LOCATE_POST or #RESUP_LOCATE_GET
 */
RESUP_API resup_status resup_client_set_locate_method(resup_client *client, int32_t method);

/**
 * Sets whether the request that creates an upload by tus may carry a whole file of up to 256 KiB. If its
 * response is lost, that upload stays at the server, and the file goes there once more.
 * @param allowed  0 for no, the default; else yes, where the server has creation-with-upload
 */
RESUP_API resup_status resup_client_set_creation_with_upload(resup_client *client, int32_t allowed);

/** Write file names as browsers do: UTF-8, quote, CR and LF as %22, %0D and %0A. The default. */
#define RESUP_FILENAME_WHATWG 0
/** Write them again as filename* (RFC 8187), for servers that take the first for Latin-1. */
#define RESUP_FILENAME_RFC8187 1

/**
 * Sets how file names are written into forms.
 * @param style  #RESUP_FILENAME_WHATWG or #RESUP_FILENAME_RFC8187
 */
RESUP_API resup_status resup_client_set_filename_style(resup_client *client, int32_t style);
/** @} */

/**
 * @defgroup client_identity Client: identity
 * Who the user is to the server: login, authorization, signatures. Each setting counts from the
 * next run of each upload on. Authorization, headers and cookies go with every request, but never
 * to another scheme, host or port than the endpoint's. What the library keeps of a secret is
 * overwritten in memory when it is released; not so the buffers through which it was sent.
 *
 * @param client  a client
 * @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for
 *         a text that is NULL; #RESUP_E_UTF8 for one that is not valid; or a handle's error
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/**
 * Sets the user name that the server is told with each file. Default: none.
 * @param user  one line of UTF-8
 */
RESUP_API resup_status resup_client_set_user(resup_client *client, const char *user);

/**
 * Sets the form by which the client logs in: before the first request, and again when the server
 * turns a later one away, by a POST of the fields of resup_client_set_login_field. Cookies are
 * kept. Any answer below 400 counts as a login until the next request shows otherwise.
 * @param url  of the endpoint's scheme, host and port
 * @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 */
RESUP_API resup_status resup_client_set_login_form(resup_client *client, const char *url);

/**
 * Sets a field of the login form that was set. Setting a name again replaces its value.
 * @param name   not empty
 * @param value  any text
 */
RESUP_API resup_status resup_client_set_login_field(resup_client *client, const char *name,
                                                    const char *value);

/**
 * Sets Basic authorization (RFC 7617), in place of another one.
 * @param user      not empty, without a colon
 * @param password  may be empty
 */
RESUP_API resup_status resup_client_set_basic_auth(resup_client *client, const char *user,
                                                   const char *password);

/**
 * Sets a bearer token (RFC 6750), in place of another authorization.
 * @param token  printable ASCII
 */
RESUP_API resup_status resup_client_set_bearer_token(resup_client *client, const char *token);

/**
 * Sets a header. Setting a name again replaces its value.
 * @param name   not one that the library sets itself, such as Content-Type
 * @param value  one line
 */
RESUP_API resup_status resup_client_set_header(resup_client *client, const char *name,
                                               const char *value);

/**
 * Sets a cookie, beside those that the server sets. Setting a name again replaces its value.
 * @param name   a token (RFC 6265, 4.1.1)
 * @param value  printable ASCII without blanks, quotes, commas, semicolons and backslashes
 */
RESUP_API resup_status resup_client_set_cookie(resup_client *client, const char *name,
                                               const char *value);

/**
 * Signs every form with a secret (docs/PROTOCOL.md, "Signing").
 * @param secret  not NULL; copied
 * @param length  its bytes, more than 0
 */
RESUP_API resup_status resup_client_set_signing_secret(resup_client *client, const uint8_t *secret,
                                                       size_t length);

/** Sign with HMAC-SHA-256. The default. */
#define RESUP_SIGNING_HMAC_SHA256 0
/** Sign with HMAC-MD5, for old servers that know no better. */
#define RESUP_SIGNING_HMAC_MD5 1

/**
 * Sets how forms are signed, where there is a secret.
 * @param algorithm  #RESUP_SIGNING_HMAC_SHA256 or #RESUP_SIGNING_HMAC_MD5
 */
RESUP_API resup_status resup_client_set_signing_algorithm(resup_client *client, int32_t algorithm);
/** @} */

/**
 * @defgroup client_tls Client: TLS
 * Which server is trusted, and what this side shows to it. Each setting counts from the next run
 * of each upload on; files are read at once.
 *
 * @param client       a client
 * @param path         a file, PEM or DER
 * @param certificate  path of a file, PEM or DER, with the chain, its own certificate first
 * @param key          path of such a file with the key, not encrypted; may be the same file
 * @return #RESUP_OK; #RESUP_E_ARGUMENT for a value or file that cannot be used: then nothing has
 *         changed; #RESUP_E_NULL for a text that is NULL; #RESUP_E_UTF8 for one that is not valid;
 *         or a handle's error
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/** Trust the operating system's root certificates. The default. */
#define RESUP_TRUST_SYSTEM 0
/** Trust Mozilla's root certificates, as they were when the library was built. */
#define RESUP_TRUST_BUNDLED 1

/**
 * Sets which root certificates are trusted while no CA was given.
 * @param trust  #RESUP_TRUST_SYSTEM or #RESUP_TRUST_BUNDLED
 */
RESUP_API resup_status resup_client_set_trust(resup_client *client, int32_t trust);

/**
 * Trusts the CA certificates in a file, and no others but those of further calls. A server may
 * show one of them as its own. When the file cannot be read, has no certificate, or has one that
 * cannot be used as a root, none of them is trusted.
 */
RESUP_API resup_status resup_client_set_ca_file(resup_client *client, const char *path);

/** As resup_client_set_ca_file, with a path in UTF-16. */
RESUP_API resup_status resup_client_set_ca_file_utf16(resup_client *client, const uint16_t *path);

/**
 * As resup_client_set_ca_file, with the certificates themselves.
 * @param pem  one certificate or more
 */
RESUP_API resup_status resup_client_set_ca_pem(resup_client *client, const char *pem);

/**
 * Sets the certificate that this side shows when the server asks for one. Fails also when the key
 * does not fit. The library's copies of the file are overwritten in memory; not so what its TLS
 * makes of the key.
 */
RESUP_API resup_status resup_client_set_client_certificate(resup_client *client,
                                                           const char *certificate,
                                                           const char *key);

/** As resup_client_set_client_certificate, with paths in UTF-16. */
RESUP_API resup_status resup_client_set_client_certificate_utf16(resup_client *client,
                                                                 const uint16_t *certificate,
                                                                 const uint16_t *key);

/**
 * Sets whether the server's certificate is verified. Without, whoever is on the way can read and
 * change everything, credentials too; each run logs a warning.
 * @param verify  0 for no; else yes, the default
 */
RESUP_API resup_status resup_client_set_tls_verify(resup_client *client, int32_t verify);
/** @} */

/**
 * @defgroup client_log Client: log
 * What uploads tell of their course. Secrets and file contents are never logged.
 * @{
 */

/** An upload has failed. */
#define RESUP_LOG_ERROR 1
/** Something unusual that the upload gets over: a lost connection, a prefix that differs. */
#define RESUP_LOG_WARN 2
/** The course of an upload. */
#define RESUP_LOG_INFO 3
/** Every step. */
#define RESUP_LOG_DEBUG 4

/**
 * Takes a line of the log.
 * @param level      one of the RESUP_LOG_ constants
 * @param message    one line of UTF-8; valid during the call
 * @param user_data  what was registered with the callback
 * @return #RESUP_CONTINUE, or anything else to cancel the upload
 */
typedef int32_t (*resup_log_callback)(int32_t level, const char *message, void *user_data);

/**
 * Registers a log callback, in place of an earlier one, from the next run of each upload on.
 * @param client     a client
 * @param level      the least important level that is wanted, one of the RESUP_LOG_ constants
 * @param callback   called from within resup_upload_run and resup_upload_wait, on the threads that
 *                   called these, so perhaps on several at once; NULL for none
 * @param user_data  given to the callback; may be NULL
 * @param destroy    releases user_data when the callback has been replaced and no upload has it
 *                   from its last run, or client and uploads have been freed; on the thread that
 *                   does the last of these; at once when registering fails; may be NULL
 * @return #RESUP_OK, #RESUP_E_ARGUMENT for another level, or a handle's error
 *
 * Threads: any. Callbacks: the destroy function of the one replaced.
 */
RESUP_API resup_status resup_client_on_log(resup_client *client, int32_t level,
                                           resup_log_callback callback, void *user_data,
                                           resup_destroy_callback destroy);
/** @} */

/**
 * @defgroup upload Upload: making one
 * An upload is made of a file, of memory, or of a stream of the program's. Nothing is sent yet.
 *
 * @param client     the server to upload to; may be freed before the upload
 * @param path       the file; a name that is not UTF-8 needs a resup_upload_set_name before a run
 * @param name       the file name for the server
 * @param user_data  the program's own, given to the functions of a stream; may be NULL
 * @param out        where the upload goes on success; resup_upload_free frees it
 * @return #RESUP_OK; for a file #RESUP_E_SOURCE_NOT_FOUND, #RESUP_E_SOURCE_DENIED,
 *         #RESUP_E_SOURCE_NOT_A_FILE, #RESUP_E_SOURCE_IO; #RESUP_E_ARGUMENT for a name that cannot
 *         be one; #RESUP_E_SYSTEM when there is no memory for the copy; #RESUP_E_NULL, for a
 *         missing function too; #RESUP_E_UTF8 or a handle's error. After a failure,
 *         resup_client_error_message tells more.
 *
 * Threads: any. Callbacks: none.
 * @{
 */

/** Makes an upload of a file, under the file's own name. The file is not kept open. */
RESUP_API resup_status resup_upload_new_file(resup_client *client, const char *path,
                                             resup_upload **out);

/** As resup_upload_new_file, with a path in UTF-16. */
RESUP_API resup_status resup_upload_new_file_utf16(resup_client *client, const uint16_t *path,
                                                   resup_upload **out);

/**
 * Makes an upload of bytes in memory. Its digest is computed before it is sent, since nothing else
 * tells two versions of it apart.
 * @param data  the bytes; copied; may be NULL when there are none
 * @param size  how many
 */
RESUP_API resup_status resup_upload_new_memory(resup_client *client, const void *data, size_t size,
                                               const char *name, resup_upload **out);

/**
 * Reads from where the last read ended, or the last seek went.
 * @param buffer  where the bytes go
 * @param size    the most bytes to put there; more than 0
 * @param read    where the number of bytes put there goes: at least 1, or 0 at the end
 * @return 0, or any code of the program's own for a failure: the upload ends with
 *         #RESUP_E_SOURCE_IO, and the message has the code
 */
typedef int32_t (*resup_read_callback)(void *buffer, size_t size, size_t *read, void *user_data);

/**
 * Sets where the next read begins.
 * @param offset  bytes from the start; never more than the size
 * @return as for resup_read_callback
 */
typedef int32_t (*resup_seek_callback)(uint64_t offset, void *user_data);

/**
 * Tells how many bytes there are in the whole. The next read comes after a seek.
 * @param size  where the number goes
 * @return as for resup_read_callback
 */
typedef int32_t (*resup_size_callback)(uint64_t *size, void *user_data);

/**
 * Makes an upload of what the program's own functions read: a file in an archive, a database's
 * blob, a stream of another language.
 *
 * The functions are called only from within resup_upload_run and resup_upload_wait, on the thread
 * that called these; so after resup_upload_start the upload goes on only while the program waits,
 * and is cancelled within 100 ms only if they return by then. What they read must stay the same
 * during a run; other bytes are noticed (#RESUP_E_SOURCE_CHANGED). It is read twice, first for its
 * digest, since nothing else tells two versions of it apart.
 *
 * Without seek and size it is read once, from its start to its end, as a pipe is: its size is
 * #RESUP_SIZE_UNKNOWN until then. The server has to speak tus with creation-defer-length, or the
 * IETF's protocol; a run is refused else (#RESUP_E_ARGUMENT). What the server has not confirmed is
 * kept: a segment, of 8 MiB at most. So it goes on after a lost connection, and in another run with
 * the same settings, but never anew: a server that has lost more ends it (#RESUP_E_SOURCE_IO).
 * @param read     reads; a failure takes no bytes, and another run reads again
 * @param seek     sets where the next read begins; NULL only if size is NULL, too
 * @param size     tells the size; NULL only if seek is NULL, too
 * @param destroy  releases user_data, at the latest in resup_upload_free; at once when this
 *                 function fails. May be NULL.
 *
 * Threads: any. Callbacks: on failure destroy, else none.
 */
RESUP_API resup_status resup_upload_new_stream(resup_client *client, const char *name,
                                               resup_read_callback read, resup_seek_callback seek,
                                               resup_size_callback size, void *user_data,
                                               resup_destroy_callback destroy, resup_upload **out);

/**
 * Frees an upload. One that runs after resup_upload_start is cancelled, and no callback is
 * called for that; what the server has is kept there.
 * @param upload  an upload, or NULL, which does nothing
 * @return #RESUP_OK; #RESUP_E_BUSY while another thread, or a callback of this upload, is inside a
 *         call on it; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND. After an error
 *         nothing has changed.
 *
 * Threads: any. Callbacks: the destroy functions of the registered callbacks.
 */
RESUP_API resup_status resup_upload_free(resup_upload *upload);
/** @} */

/**
 * @defgroup upload_settings Upload: settings
 * What is uploaded under which name, and how. Each setting counts from the next run on.
 *
 * @param upload  an upload
 * @param path    the state file: not empty, and a place of its own for each upload
 * @return #RESUP_OK; #RESUP_E_ARGUMENT for a value that cannot be used; #RESUP_E_NULL for a text
 *         that is NULL; #RESUP_E_UTF8 for one that is not valid; #RESUP_E_STATE during a run;
 *         #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: none.
 * @{
 */

/**
 * Sets the file name that the server is told. Default: the file's own.
 * @param name  without a path, at most 1024 bytes; needed where the file's own is not UTF-8
 */
RESUP_API resup_status resup_upload_set_name(resup_upload *upload, const char *name);

/**
 * Sets the directory on the server. Default: empty, the server's own choice.
 * @param directory  names, separated by /
 */
RESUP_API resup_status resup_upload_set_directory(resup_upload *upload, const char *directory);

/**
 * Sets the file's MIME type. Default: by the extension of its name, else application/octet-stream.
 * @param content_type  ASCII, type/subtype and perhaps parameters after a semicolon
 */
RESUP_API resup_status resup_upload_set_content_type(resup_upload *upload,
                                                     const char *content_type);

/**
 * Adds a form field of the program's own to every request. The same name replaces the value.
 * @param name   none of the protocol's own names
 * @param value  any text
 */
RESUP_API resup_status resup_upload_set_field(resup_upload *upload, const char *name,
                                              const char *value);

/**
 * Compute none, for networks and servers that compare by themselves: neither a prefix on the server
 * nor the whole file is compared then, and a new mode or link during a run is a change of the file.
 */
#define RESUP_DIGEST_NONE 0
/** Compute the digest while the file is sent. The default. */
#define RESUP_DIGEST_ONE_PASS 1
/** Compute it before the first request: a server that has the content needs no byte of it. */
#define RESUP_DIGEST_FIRST 2

/**
 * Sets whether and when the digest of the file is computed. That of memory, and of a stream with a
 * size, is computed before the first request in every mode: nothing else tells two versions apart.
 *
 * With #RESUP_DIGEST_NONE for a file and an algorithm by its name the start fails (#RESUP_E_ARGUMENT).
 * @param mode  #RESUP_DIGEST_NONE, #RESUP_DIGEST_ONE_PASS or #RESUP_DIGEST_FIRST
 */
RESUP_API resup_status resup_upload_set_digest(resup_upload *upload, int32_t mode);

/**
 * Sets whether the finished file is read back at the end, and its digest compared, where the server tells
 * none: by WebDAV, tus, IETF. Another file ends the run (#RESUP_E_DIGEST) and stays there; the next run
 * replaces it. With a dialect, sessions or #RESUP_DIGEST_NONE the start fails (#RESUP_E_ARGUMENT).
 * @param read_back  0 for no, the default; else yes
 */
RESUP_API resup_status resup_upload_set_read_back(resup_upload *upload, int32_t read_back);

/** The best one that both sides have. The default. */
#define RESUP_DIGEST_ALGORITHM_AUTOMATIC 0
/** BLAKE3 with 256 bits, the fastest. */
#define RESUP_DIGEST_ALGORITHM_BLAKE3 1
/** SHA-256. */
#define RESUP_DIGEST_ALGORITHM_SHA256 2
/** MD5, which every server has. It protects against accidents, not against an attacker. */
#define RESUP_DIGEST_ALGORITHM_MD5 3

/**
 * Sets the algorithm of the digest. With one that is named the run ends with
 * #RESUP_E_DIGEST_UNAVAILABLE where the server does not use it.
 * @param algorithm  one of the RESUP_DIGEST_ALGORITHM_ constants
 */
RESUP_API resup_status resup_upload_set_digest_algorithm(resup_upload *upload, int32_t algorithm);

/**
 * Sets a file in which the upload keeps states of the digest, so that a resume by another run of
 * the program does not read again what the server already has; and its URL, where only that finds
 * it (tus), or what the storage told of its parts (presigned). Default: none. Where it is missing,
 * damaged or of another file, the upload reads more or begins anew, and ends right. Only its owner
 * may read it; it is removed when the upload is complete. A file at that path that is no state file
 * is left as it is. Memory and streams have no state file.
 */
RESUP_API resup_status resup_upload_set_state_file(resup_upload *upload, const char *path);

/** As resup_upload_set_state_file, with a path in UTF-16. */
RESUP_API resup_status resup_upload_set_state_file_utf16(resup_upload *upload,
                                                         const uint16_t *path);

/** Send everything that is left in one request, as long as that works. The default. */
#define RESUP_SEGMENT_UNLIMITED 0
/** Send segments from the first request on, whose size follows the network. */
#define RESUP_SEGMENT_AUTOMATIC 1

/**
 * Sets the most file bytes that one request carries. Seldom needed. After a request that brought
 * nothing (servers and proxies may see it only when it is whole) the next one carries a quarter,
 * from 4 MiB down to 64 KiB; the size then grows while a segment takes less than 5 s, and shrinks
 * after more than 20 s. A server's own limit counts, and after an HTTP 413 the size is halved.
 * @param bytes  a number of bytes, #RESUP_SEGMENT_UNLIMITED or #RESUP_SEGMENT_AUTOMATIC
 */
RESUP_API resup_status resup_upload_set_segment_size(resup_upload *upload, uint64_t bytes);

/**
 * Sets how many connections send parts of the file at a time at most, where the server takes parts and the
 * file can be read at several places. Streams use one.
 * @param connections  1 to 6, or 0, the default, for as many as help
 */
RESUP_API resup_status resup_upload_set_connections(resup_upload *upload, uint32_t connections);

/**
 * Sets presigned URLs of S3 and its likes, to which the parts of the file go in place of the client's URL;
 * docs/OTHER-SERVERS.md has the keys. They are secrets, and get nothing of the client's login.
 * @param parts  JSON: {"part_size": 8388608, "parts": ["https://...", ...], "complete": "https://..."}
 */
RESUP_API resup_status resup_upload_set_parts(resup_upload *upload, const char *parts);

/**
 * Sets the most file bytes per second that this upload sends. Counts at once, also during a run.
 * @param bytes_per_second  0, the default, for no limit
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any, at any time, callbacks included. Callbacks: none.
 */
RESUP_API resup_status resup_upload_set_rate_limit(resup_upload *upload, uint64_t bytes_per_second);
/** @} */

/**
 * @defgroup upload_run Upload: running
 * A run goes on until the server has confirmed the whole file, or until it fails. What the server
 * has is kept there: after a failure or a cancel the upload may be run again, and goes on from
 * there. resup_upload_cancel, resup_upload_pause and resup_upload_resume return at once.
 *
 * @param upload  an upload
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any, at any time, callbacks included. Callbacks: none.
 * @{
 */

/**
 * Uploads, and returns at the end. On the way the callbacks are called, on this thread. After a
 * lost connection or a failure of the server it waits and goes on, within the client's limits.
 * @return #RESUP_OK when the server has confirmed the whole file; #RESUP_E_CANCELLED; any of the
 *         errors of the file, the network and the server; #RESUP_E_ARGUMENT when it still needs
 *         a name; #RESUP_E_STATE when it was started before; #RESUP_E_BUSY, #RESUP_E_SYSTEM,
 *         #RESUP_E_INTERNAL or a handle's error. resup_upload_error_message tells more.
 *
 * Threads: one at a time. Callbacks: all.
 */
RESUP_API resup_status resup_upload_run(resup_upload *upload);

/**
 * Starts an upload and returns at once. It goes on by itself, on a thread of the library, which
 * calls nothing: call resup_upload_wait, from a timer for example, for the callbacks and the end.
 * @return #RESUP_OK; #RESUP_E_STATE when it is running; #RESUP_E_ARGUMENT when it still needs a
 *         name; #RESUP_E_BUSY, #RESUP_E_SYSTEM, #RESUP_E_INTERNAL or a handle's error
 *
 * Threads: one at a time. Callbacks: the destroy function of a log callback that was replaced.
 */
RESUP_API resup_status resup_upload_start(resup_upload *upload);

/** For resup_upload_wait: this and everything above means as long as it takes. */
#define RESUP_FOREVER 2147483647

/**
 * Calls the callbacks for what happened since the last call, on this thread, and waits for more.
 * Without it no outcome is lost, but of states and log lines all but the last 64 and 1000.
 * @param timeout_ms  the most time to wait, in milliseconds; 0 only looks; #RESUP_FOREVER
 * @return #RESUP_PENDING while the upload goes on; at its end, and from then on, what
 *         resup_upload_run would have returned; #RESUP_E_STATE before resup_upload_start
 *
 * Threads: one at a time. Callbacks: all.
 */
RESUP_API resup_status resup_upload_wait(resup_upload *upload, uint32_t timeout_ms);

/**
 * Takes an upload back, and returns at the end: the server drops what it has of the file, and a
 * later run begins anew. A complete file stays. What the server does not have is a success, too.
 * Time limits, retries and a cancel are as in a run. A success removes the state file.
 * @return #RESUP_OK; #RESUP_E_REFUSED for a complete file, and where the server takes none back;
 *         #RESUP_E_STATE during a run, or when its URL is not known (tus); else as resup_upload_run
 *
 * Threads: one at a time. Callbacks: those for states, for the log, and of a stream.
 */
RESUP_API resup_status resup_upload_discard(resup_upload *upload);

/**
 * Ends a run or a discard: the call inside returns #RESUP_E_CANCELLED within 100 ms, also when the
 * network hangs. Before the first run it ends that one at its start; after a run it does nothing.
 */
RESUP_API resup_status resup_upload_cancel(resup_upload *upload);

/** Pauses an upload: its connection is closed, and it waits for resup_upload_resume. */
RESUP_API resup_status resup_upload_pause(resup_upload *upload);

/** Goes on after resup_upload_pause, from where the server is then. */
RESUP_API resup_status resup_upload_resume(resup_upload *upload);
/** @} */

/**
 * @defgroup upload_callbacks Upload: callbacks
 * Callbacks are called from within resup_upload_run and resup_upload_wait, on the thread that
 * called these. A callback that is registered takes the place of the earlier one.
 *
 * @param upload     an upload
 * @param callback   the function that is called; NULL for none
 * @param user_data  given to the callback; may be NULL
 * @param destroy    releases user_data, at once when registering fails; may be NULL
 * @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: the destroy function of the one replaced.
 * @{
 */

/**
 * Takes the numbers, about ten times a second while they change, and a last time before the end.
 * @param upload    the upload; its getters and resup_upload_cancel may be called
 * @param position  bytes of the file that the server has or that are on their way
 * @param size      bytes in the whole file, or #RESUP_SIZE_UNKNOWN
 * @return #RESUP_CONTINUE, or anything else to cancel
 */
typedef int32_t (*resup_progress_callback)(resup_upload *upload, uint64_t position, uint64_t size,
                                           void *user_data);

/** Registers the progress callback. */
RESUP_API resup_status resup_upload_on_progress(resup_upload *upload,
                                                resup_progress_callback callback, void *user_data,
                                                resup_destroy_callback destroy);

/** Not started. (0 is no state: getters return it for a handle that is not valid.) */
#define RESUP_STATE_READY 1
/** Reading what the server already has, for the digest. */
#define RESUP_STATE_HASHING 2
/** Asking the server what it has. */
#define RESUP_STATE_LOCATING 3
/** Sending. */
#define RESUP_STATE_SENDING 4
/** Everything is handed over; the server is to confirm it. */
#define RESUP_STATE_VERIFYING 5
/** Waiting to try again; see resup_upload_retry_in and resup_upload_error_message. */
#define RESUP_STATE_WAITING 6
/** Paused by the program. */
#define RESUP_STATE_PAUSED 7
/** The server has confirmed the whole file. */
#define RESUP_STATE_COMPLETE 8
/** Given up; see resup_upload_error_message. */
#define RESUP_STATE_FAILED 9
/** Ended by the program. */
#define RESUP_STATE_CANCELLED 10

/**
 * Takes each new state.
 * @param state  one of the RESUP_STATE_ constants
 * @return #RESUP_CONTINUE, or anything else to cancel
 */
typedef int32_t (*resup_state_callback)(resup_upload *upload, int32_t state, void *user_data);

/** Registers the state callback. */
RESUP_API resup_status resup_upload_on_state(resup_upload *upload, resup_state_callback callback,
                                             void *user_data, resup_destroy_callback destroy);

/**
 * Takes the outcome, once at the end of every run, after all other callbacks.
 * @param status  what resup_upload_run or resup_upload_wait is about to return
 * @return not looked at; return #RESUP_CONTINUE
 */
typedef int32_t (*resup_complete_callback)(resup_upload *upload, resup_status status,
                                           void *user_data);

/** Registers the completion callback: the last one of a run, once, when its end is first told. */
RESUP_API resup_status resup_upload_on_complete(resup_upload *upload,
                                                resup_complete_callback callback, void *user_data,
                                                resup_destroy_callback destroy);
/** @} */

/**
 * @defgroup upload_numbers Upload: numbers
 * What an upload has done, and how it goes on. For a handle that is not valid each function
 * returns 0.
 *
 * @param upload  an upload
 *
 * Threads: any, at any time. Callbacks: none.
 * @{
 */

/** Returns the state, one of the RESUP_STATE_ constants. */
RESUP_API int32_t resup_upload_state(const resup_upload *upload);

/** The size of a stream without a size, until its end was read. */
#define RESUP_SIZE_UNKNOWN UINT64_MAX

/** Returns the bytes in the whole file; 0 before a run has opened it, or #RESUP_SIZE_UNKNOWN. */
RESUP_API uint64_t resup_upload_size(const resup_upload *upload);

/** Returns the bytes that the server has confirmed to hold, from the start of the file. */
RESUP_API uint64_t resup_upload_offset(const resup_upload *upload);

/**
 * Returns the confirmed bytes and those handed to the network since: what a progress bar shows. It
 * goes back when a lost connection has lost some.
 */
RESUP_API uint64_t resup_upload_position(const resup_upload *upload);

/** Returns the file bytes handed to the network in this run, those that were lost included. */
RESUP_API uint64_t resup_upload_bytes_sent(const resup_upload *upload);

/** Returns the file bytes that the server had at this run's beginning: they were not sent. */
RESUP_API uint64_t resup_upload_bytes_skipped(const resup_upload *upload);

/** Returns the bytes per second over the last seconds; 0 while nothing is being sent. */
RESUP_API uint64_t resup_upload_rate(const resup_upload *upload);

/** Returns the milliseconds left to the end at the present rate; #RESUP_FOREVER when unknown. */
RESUP_API uint32_t resup_upload_time_left(const resup_upload *upload);

/** Returns how many attempts this run has begun: 1, and 1 more after each failure and pause. */
RESUP_API uint32_t resup_upload_attempts(const resup_upload *upload);

/** Returns the milliseconds left until the next attempt in #RESUP_STATE_WAITING; else 0. */
RESUP_API uint32_t resup_upload_retry_in(const resup_upload *upload);

/** Returns the HTTP status of the server's last answer in this run; 0 when there was none. */
RESUP_API int32_t resup_upload_http_status(const resup_upload *upload);

/**
 * Returns the algorithm of the digest, one of the RESUP_DIGEST_ALGORITHM_ constants;
 * #RESUP_DIGEST_ALGORITHM_AUTOMATIC before the server has agreed to one, and without a digest.
 */
RESUP_API int32_t resup_upload_digest_algorithm(const resup_upload *upload);

/**
 * Returns 1 when the last run failed and another one, later and unchanged, may succeed; else 0. After a cancel it is 0: the
 * program wanted the end.
 */
RESUP_API int32_t resup_upload_is_retryable(const resup_upload *upload);
/** @} */

/**
 * @defgroup upload_texts Upload: texts
 * What the server and the library tell of an upload.
 *
 * @param upload  an upload
 * @return a text, or NULL when there is none or the handle is not valid; it is valid until
 *         resup_upload_free
 *
 * Threads: any, at any time. Callbacks: none.
 * @{
 */

/** Returns the protocol or dialect that the server has answered in, such as "tus" or "plain". */
RESUP_API const char *resup_upload_protocol(const resup_upload *upload);

/** Returns the server's own key of the upload. */
RESUP_API const char *resup_upload_id(const resup_upload *upload);

/** Returns where the finished file is to be found, in the server's words. */
RESUP_API const char *resup_upload_location(const resup_upload *upload);

/**
 * Returns the digest of the whole file in lower-case hex, once it is complete; NULL before, and
 * when the server had the file already and it was not read.
 */
RESUP_API const char *resup_upload_digest(const resup_upload *upload);

/** Returns resup_upload_digest where that is an MD5, else NULL. */
RESUP_API const char *resup_upload_md5(const resup_upload *upload);

/** Returns the server's last message for a person. */
RESUP_API const char *resup_upload_server_message(const resup_upload *upload);

/**
 * Returns the start of the body, up to 200 characters in one line, of the server's last refusal in
 * this run: what a proxy or a login page says where the server has no message.
 */
RESUP_API const char *resup_upload_server_excerpt(const resup_upload *upload);

/**
 * Returns what went wrong in the last call on this upload that failed, and what to do about it.
 * During a run it tells why the last attempt failed, until the server answers again: why it waits.
 * @return a text, empty when nothing failed since the last run began or ended well, NULL for a
 *         handle that is not valid; it is valid until resup_upload_free
 */
RESUP_API const char *resup_upload_error_message(const resup_upload *upload);
/** @} */

#ifdef __cplusplus
}
#endif

#endif /* RESUP_H */
