/*
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
 * Handles. A resup_client or resup_upload pointer is a key, not an address: never follow it.
 * Each _new makes one, each _free ends one; _free(NULL) does nothing. A handle that is NULL,
 * was freed, is of the other kind or never was one gets a call refused with RESUP_E_NULL,
 * RESUP_E_FREED, RESUP_E_HANDLE_KIND or RESUP_E_HANDLE ("a handle's error" below); getters then
 * answer 0 or NULL.
 *
 * Text is UTF-8, ends with NUL and is copied on entry. A returned text is borrowed; each function
 * says for how long. (So never put a call and the error message after it into the arguments of one
 * printf: C does not say which is evaluated first.) Sizes and offsets are bytes, times milliseconds. A boolean is an int32_t,
 * where every value but 0 is true.
 *
 * Results. Functions return a resup_status; outputs are written only with RESUP_OK. Every call
 * that fails leaves a message: resup_upload_error_message for a call on an upload,
 * resup_client_error_message for one on a client, and resup_client_error_message(NULL) for one
 * without a usable handle or with RESUP_E_BUSY.
 *
 * Threads. No thread of the library ever calls the program: callbacks run only on the thread that
 * is inside resup_upload_run or resup_upload_wait. "Threads: any" functions may be called from
 * every thread at any time. "Threads: one at a time" functions of one handle answer RESUP_E_BUSY
 * when another of them is not done; so do they when a callback of that handle calls them.
 * Different handles do not disturb each other.
 *
 * A program that never calls resup_upload_wait loses no outcome, but after the last 64 states and
 * 1000 log lines the older ones.
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
 * What a callback answers when the upload is to go on. Any other answer cancels it.
 */
#define RESUP_CONTINUE 0

/**
 * Ask by POST, which no cache answers. The default.
 */
#define RESUP_LOCATE_POST 0

/**
 * Ask by GET, with the fields in the query.
 */
#define RESUP_LOCATE_GET 1

/**
 * An upload has failed.
 */
#define RESUP_LOG_ERROR 1

/**
 * Something unusual that the upload gets over: a break, a prefix that differs.
 */
#define RESUP_LOG_WARN 2

/**
 * The course of an upload.
 */
#define RESUP_LOG_INFO 3

/**
 * Every step.
 */
#define RESUP_LOG_DEBUG 4

/**
 * Sign with HMAC-SHA-256. The default.
 */
#define RESUP_SIGNING_HMAC_SHA256 0

/**
 * Sign with HMAC-MD5, for old servers that know no better.
 */
#define RESUP_SIGNING_HMAC_MD5 1

/**
 * Trust the operating system's root certificates. The default.
 */
#define RESUP_TRUST_SYSTEM 0

/**
 * Trust Mozilla's root certificates, as they were when the library was built.
 */
#define RESUP_TRUST_BUNDLED 1

/**
 * Write file names as browsers do: UTF-8, with quote, CR and LF as %22, %0D and %0A. The default.
 */
#define RESUP_FILENAME_WHATWG 0

/**
 * Write them a second time as filename* (RFC 8187), for servers that take the first for Latin-1.
 */
#define RESUP_FILENAME_RFC8187 1

/**
 * It is done.
 */
#define RESUP_OK 0

/**
 * From resup_upload_wait only: the upload goes on; call again.
 */
#define RESUP_PENDING 1

/**
 * A pointer that must not be NULL is NULL. Correct the program.
 */
#define RESUP_E_NULL 10

/**
 * What was given as a handle never was one. Correct the program.
 */
#define RESUP_E_HANDLE 11

/**
 * The handle has been freed before. Correct the program.
 */
#define RESUP_E_FREED 12

/**
 * A client was given where an upload belongs, or the other way round. Correct the program.
 */
#define RESUP_E_HANDLE_KIND 13

/**
 * A text is not valid UTF-8 (or UTF-16). Convert it.
 */
#define RESUP_E_UTF8 14

/**
 * A value cannot be used; the error message says why.
 */
#define RESUP_E_ARGUMENT 15

/**
 * The server's address is no http or https URL; the error message says why.
 */
#define RESUP_E_URL 16

/**
 * Another thread, or a callback, is inside a call on this handle. Wait for it.
 */
#define RESUP_E_BUSY 17

/**
 * The call does not fit the upload's state; the error message says why.
 */
#define RESUP_E_STATE 18

/**
 * There is no such file. Let the user choose again.
 */
#define RESUP_E_SOURCE_NOT_FOUND 30

/**
 * The file may not be read. Let the user see to its permissions.
 */
#define RESUP_E_SOURCE_DENIED 31

/**
 * The path names a directory or device, no regular file.
 */
#define RESUP_E_SOURCE_NOT_A_FILE 32

/**
 * Reading the file failed; the error message has the system's reason.
 */
#define RESUP_E_SOURCE_IO 33

/**
 * The file changed while it was being uploaded. Run again when it is at rest.
 */
#define RESUP_E_SOURCE_CHANGED 34

/**
 * The server's name was not found. Check the address and the network, run again.
 */
#define RESUP_E_RESOLVE 50

/**
 * No connection came about. Check the address and the network, run again.
 */
#define RESUP_E_CONNECT 51

/**
 * The connection broke, or the answer was cut, again and again. Run again later.
 */
#define RESUP_E_CONNECTION_LOST 52

/**
 * A time limit passed again and again. Run again later.
 */
#define RESUP_E_TIMEOUT 53

/**
 * TLS failed, or the server's certificate is not trusted. Tell the user; do not go on.
 */
#define RESUP_E_TLS 54

/**
 * The proxy refuses. Check its address, its user and password, and what it lets through.
 */
#define RESUP_E_PROXY 55

/**
 * The server wants a login, or does not allow this (HTTP 401, 403).
 */
#define RESUP_E_NOT_ALLOWED 70

/**
 * The file is more than the server takes (HTTP 413).
 */
#define RESUP_E_TOO_LARGE 71

/**
 * Another client keeps writing this upload (HTTP 423). Run again later.
 */
#define RESUP_E_LOCKED 72

/**
 * The server keeps being busy (HTTP 429, 503). Run again later.
 */
#define RESUP_E_SERVER_BUSY 73

/**
 * The server keeps failing (HTTP 408, 417, 500, 502, 504). Run again later.
 */
#define RESUP_E_SERVER_FAILING 74

/**
 * The server has no room (HTTP 507). Run again when it has.
 */
#define RESUP_E_NO_SPACE 75

/**
 * The server refused for another reason: see resup_upload_http_status and the error message.
 */
#define RESUP_E_REFUSED 76

/**
 * The server's answer is not of the protocol. Is the URL right?
 */
#define RESUP_E_BAD_RESPONSE 90

/**
 * The server's answer is far too long. Is the URL right?
 */
#define RESUP_E_RESPONSE_TOO_LONG 91

/**
 * The server claims an offset that cannot be; nothing was sent on it. Report it to its owner.
 */
#define RESUP_E_BAD_OFFSET 92

/**
 * What the server stored is not what was sent, twice in a row.
 */
#define RESUP_E_DIGEST 93

/**
 * The upload was cancelled, by a call or by a callback. It may be run again.
 */
#define RESUP_E_CANCELLED 110

/**
 * The operating system refused a thread or random numbers. Run again with more resources.
 */
#define RESUP_E_SYSTEM 120

/**
 * A defect in the library was caught. Free the handle; report the message.
 */
#define RESUP_E_INTERNAL 121

/**
 * For resup_upload_wait: this and everything above means as long as it takes.
 */
#define RESUP_FOREVER 2147483647

/**
 * Not started. (0 is no state: getters answer it for a handle that is not valid.)
 */
#define RESUP_STATE_READY 1

/**
 * Reading what the server already has, for the digest.
 */
#define RESUP_STATE_HASHING 2

/**
 * Asking the server what it has.
 */
#define RESUP_STATE_LOCATING 3

/**
 * Sending.
 */
#define RESUP_STATE_SENDING 4

/**
 * Everything is handed over; the server is to confirm it.
 */
#define RESUP_STATE_VERIFYING 5

/**
 * Waiting to try again; see resup_upload_retry_in.
 */
#define RESUP_STATE_WAITING 6

/**
 * Paused by the program.
 */
#define RESUP_STATE_PAUSED 7

/**
 * The server has confirmed the whole file.
 */
#define RESUP_STATE_COMPLETE 8

/**
 * Given up; see resup_upload_error_message.
 */
#define RESUP_STATE_FAILED 9

/**
 * Ended by the program.
 */
#define RESUP_STATE_CANCELLED 10

/**
 * For resup_upload_set_digest: no digest. Neither a prefix on the server nor the whole file is
 * compared then: for networks and servers that do that themselves.
 */
#define RESUP_DIGEST_NONE 0

/**
 * For resup_upload_set_digest: the MD5 is computed while the file is sent. The default.
 */
#define RESUP_DIGEST_MD5 1

/**
 * For resup_upload_set_digest: the MD5 is computed before the first request, so that a server which
 * has the content already needs no byte of it.
 */
#define RESUP_DIGEST_MD5_FIRST 2

/**
 * For resup_upload_set_segment_size: everything that is left goes in one request. The default.
 */
#define RESUP_SEGMENT_UNLIMITED 0

/**
 * For resup_upload_set_segment_size: segments grow while the network is good, and shrink after
 * breaks.
 */
#define RESUP_SEGMENT_AUTOMATIC 1

/**
 * Major version of this header.
 */
#define RESUP_VERSION_MAJOR 0

/**
 * Minor version of this header. With each one the ABI may change until 1.0.
 */
#define RESUP_VERSION_MINOR 1

/**
 * Patch version of this header.
 */
#define RESUP_VERSION_PATCH 0

/**
 * This header's version as one number: major * 1000000 + minor * 1000 + patch.
 */
#define RESUP_VERSION_NUMBER 1000

/**
 * A server, and what all uploads to it share.
 */
typedef struct resup_client resup_client;

/**
 * One file's job.
 */
typedef struct resup_upload resup_upload;

/**
 * What a function answers: #RESUP_OK, or one of the codes below. They are positive, grouped by
 * what a program can do about them, and never renumbered.
 */
typedef int32_t resup_status;

/**
 * Told what an upload has to tell.
 *
 * @param level      one of the RESUP_LOG_ constants
 * @param message    one line of UTF-8, borrowed for the call
 * @param user_data  what was registered with the callback
 * @return #RESUP_CONTINUE, or anything else to cancel the upload
 */
typedef int32_t (*resup_log_callback)(int32_t level,
                                      const char *message,
                                      void *user_data);

/**
 * Called once when the library lets go of a callback's `user_data`: when another callback
 * takes its place, or when the handle is freed; on the thread that does so. May be NULL.
 */
typedef void (*resup_destroy_callback)(void *user_data);

/**
 * Told about ten times a second while the numbers change, and a last time before the end.
 *
 * @param upload     the upload; its getters and resup_upload_cancel may be called
 * @param position   bytes of the file that the server has or that are on their way
 * @param size       bytes in the whole file
 * @param user_data  what was registered with the callback
 * @return #RESUP_CONTINUE, or anything else to cancel
 */
typedef int32_t (*resup_progress_callback)(resup_upload *upload,
                                           uint64_t position,
                                           uint64_t size,
                                           void *user_data);

/**
 * Told each new state.
 *
 * @param upload     the upload
 * @param state      one of the RESUP_STATE_ constants
 * @param user_data  what was registered with the callback
 * @return #RESUP_CONTINUE, or anything else to cancel
 */
typedef int32_t (*resup_state_callback)(resup_upload *upload,
                                        int32_t state,
                                        void *user_data);

/**
 * Told once at the end of every run, whatever its outcome, after all other callbacks.
 *
 * @param upload     the upload
 * @param status     what resup_upload_run or resup_upload_wait is about to return
 * @param user_data  what was registered with the callback
 * @return not looked at; return #RESUP_CONTINUE
 */
typedef int32_t (*resup_complete_callback)(resup_upload *upload,
                                           resup_status status,
                                           void *user_data);

/**
 * Reads from where the last read ended, or the last seek went.
 *
 * @param buffer     where the bytes go
 * @param size       the most bytes to put there; more than 0
 * @param read       where the number of bytes put there goes: at least 1, or 0 at the end
 * @param user_data  what was registered with the stream
 * @return 0, or any code of the program's own for a failure: the upload ends with
 *         #RESUP_E_SOURCE_IO, and the message has the code
 */
typedef int32_t (*resup_read_callback)(void *buffer,
                                       size_t size,
                                       size_t *read,
                                       void *user_data);

/**
 * Sets where the next read begins.
 *
 * @param offset     bytes from the start; never more than the size
 * @param user_data  what was registered with the stream
 * @return as for resup_read_callback
 */
typedef int32_t (*resup_seek_callback)(uint64_t offset,
                                       void *user_data);

/**
 * Tells how many bytes there are in the whole. The next read comes after a seek.
 *
 * @param size       where the number goes
 * @param user_data  what was registered with the stream
 * @return as for resup_read_callback
 */
typedef int32_t (*resup_size_callback)(uint64_t *size,
                                       void *user_data);

/**
 * Makes a client for a server.
 *
 * @param endpoint  the server's upload address, http or https; copied
 * @param out       where the client goes on success; to be freed with resup_client_free
 * @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8; after a failure,
 *         resup_client_error_message(NULL) tells more.
 *
 * Nothing is sent yet. Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_new(const char *endpoint,
                              resup_client **out);

/**
 * Frees a client. Uploads that were made with it keep what they need of it and go on.
 *
 * @param client  a client, or NULL, which does nothing
 * @return #RESUP_OK; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND, which change
 *         nothing
 *
 * Threads: any. Callbacks: the destroy function of the log callback, when no upload of it is left.
 */
RESUP_API
resup_status resup_client_free(resup_client *client);

/**
 * Sets the user name that the server is told with each file. Default: none.
 *
 * @param user  one line of UTF-8; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * Counts from the next run of each upload on; so do all settings of a client.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_user(resup_client *client,
                                   const char *user);

/**
 * Sets the User-Agent header. Default: "resup/" and the version.
 *
 * @param user_agent  one line of ASCII; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_user_agent(resup_client *client,
                                         const char *user_agent);

/**
 * Sets how the server is asked for its offset.
 *
 * @param method  #RESUP_LOCATE_POST or #RESUP_LOCATE_GET
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_locate_method(resup_client *client,
                                            int32_t method);

/**
 * Sets the most time that a name lookup, and then connecting with the TLS handshake, may
 * take, each.
 *
 * @param milliseconds  more than 0. Default: 30000.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_connect_timeout(resup_client *client,
                                              uint32_t milliseconds);

/**
 * Sets the most time from the end of a request to its answer. It must allow for what the
 * network still holds of the request (some MB), and for the server's storing it.
 *
 * @param milliseconds  more than 0. Default: 120000.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_response_timeout(resup_client *client,
                                               uint32_t milliseconds);

/**
 * Sets the most time for which the network may take nothing while there is something to send.
 * A transfer that moves, however slowly, is never ended.
 *
 * @param milliseconds  more than 0. Default: 60000.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_stall_timeout(resup_client *client,
                                            uint32_t milliseconds);

/**
 * Sets the most file bytes per second that all uploads of this client send together. Counts at
 * once, for running uploads too.
 *
 * @param bytes_per_second  0, the default, for no limit
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_rate_limit(resup_client *client,
                                         uint64_t bytes_per_second);

/**
 * Sets how many attempts in a row may fail, after the first, without the server having got a
 * byte more.
 *
 * @param limit  0 never tries again. Default: 8.
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_retry_limit(resup_client *client,
                                          uint32_t limit);

/**
 * Sets the most time that attempts may go on, and fail, without the server having got a byte
 * more. It begins anew after a pause.
 *
 * @param milliseconds  0, the default, for no limit but that of their number
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_retry_timeout(resup_client *client,
                                            uint32_t milliseconds);

/**
 * Sets the waits between attempts: random, between zero and a bound that starts with the first
 * value and doubles with each attempt up to the second.
 *
 * @param first_milliseconds    more than 0. Default: 500.
 * @param longest_milliseconds  not less than the first. Default: 30000.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_retry_backoff(resup_client *client,
                                            uint32_t first_milliseconds,
                                            uint32_t longest_milliseconds);

/**
 * Registers a log callback, in place of an earlier one. It counts from the next run of each
 * upload on.
 *
 * @param level      the least important level that is wanted, one of the RESUP_LOG_ constants
 * @param callback   called from within resup_upload_run and resup_upload_wait, on the threads
 *                   that called these, so perhaps on several at once; NULL for none
 * @param user_data  handed to the callback; may be NULL
 * @param destroy    called once when the library lets go of user_data: when the callback has been
 *                   replaced and no upload has it from its last run, or when the client and
 *                   all its uploads have been freed; on the thread that does the last of
 *                   these. May be NULL. When registering fails, it is called at once.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT for another level, or a handle's error
 *
 * Secrets and file contents are never logged.
 * Threads: any. Callbacks: the destroy function of the one replaced.
 */
RESUP_API
resup_status resup_client_on_log(resup_client *client,
                                 int32_t level,
                                 resup_log_callback callback,
                                 void *user_data,
                                 resup_destroy_callback destroy);

/**
 * The message of the last call that failed on this thread, if it was one for this client: its
 * setters, and the making of uploads.
 *
 * @param client  a client; or NULL for calls that failed without a usable handle, such as
 *                resup_client_new
 * @return a text, empty if the last failure was none of these, never NULL; borrowed: it is valid until
 *         the next failing call on this thread
 *
 * Threads: any, each has its own message. Callbacks: none.
 */
RESUP_API
const char *resup_client_error_message(const resup_client *client);

/**
 * Logs in before the first request, and again when the server turns a later one away, by a POST of
 * the fields of resup_client_set_login_field; cookies are kept. Any answer below 400 counts as a
 * login until the next request shows otherwise.
 *
 * @param url  of the endpoint's scheme, host and port; copied
 * @return #RESUP_OK, #RESUP_E_URL, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_login_form(resup_client *client,
                                         const char *url);

/**
 * Sets a field of the login form, which must have been set: user name, password, and what else it
 * has. Setting a name again replaces its value.
 *
 * @param name   not empty; copied
 * @param value  copied; what the library keeps of it is overwritten in memory when it is let go. So
 *               are all secrets; not so the buffers through which they were sent.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_login_field(resup_client *client,
                                          const char *name,
                                          const char *value);

/**
 * Sends Basic authorization (RFC 7617) with every request, in place of another one.
 *
 * @param user      not empty, without a colon; copied
 * @param password  may be empty; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * It is never sent to another scheme, host or port than the endpoint's.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_basic_auth(resup_client *client,
                                         const char *user,
                                         const char *password);

/**
 * Sends a bearer token (RFC 6750) with every request, in place of another authorization.
 *
 * @param token  printable ASCII; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * It is never sent to another scheme, host or port than the endpoint's.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_bearer_token(resup_client *client,
                                           const char *token);

/**
 * Sends a header with every request. Setting a name again replaces its value.
 *
 * @param name   not one that the library sets itself, such as Content-Type; copied
 * @param value  one line; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * It is never sent to another scheme, host or port than the endpoint's.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_header(resup_client *client,
                                     const char *name,
                                     const char *value);

/**
 * Sends a cookie with every request, beside those that the server sets. Setting a name again
 * replaces its value.
 *
 * @param name   a token (RFC 6265, 4.1.1); copied
 * @param value  printable ASCII without blanks, quotes, commas, semicolons and backslashes; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * It is never sent to another scheme, host or port than the endpoint's.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_cookie(resup_client *client,
                                     const char *name,
                                     const char *value);

/**
 * Signs every form with a secret (docs/PROTOCOL.md, "Signing").
 *
 * @param secret  not NULL; copied
 * @param length  its bytes, more than 0
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_signing_secret(resup_client *client,
                                             const uint8_t *secret,
                                             size_t length);

/**
 * Sets how forms are signed, where there is a secret.
 *
 * @param algorithm  #RESUP_SIGNING_HMAC_SHA256 or #RESUP_SIGNING_HMAC_MD5
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_signing_algorithm(resup_client *client,
                                                int32_t algorithm);

/**
 * Sets the proxy that leads to the server.
 *
 * @param proxy  "none"; "system", the default, for what the environment says (http_proxy,
 *               https_proxy, all_proxy, no_proxy), then, on Windows, the user's Internet
 *               Settings (no PAC scripts); or scheme://user:password@host:port, of which
 *               all but the host may be left out, user and password percent-encoded. The scheme
 *               is http (port 80: http servers by absolute URLs, https ones by CONNECT), socks4 or
 *               socks5 (1080: the server's name is looked up on this side), socks4a or socks5h
 *               (the proxy looks it up). Copied.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * The system's proxy is never used for this machine itself.
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_proxy(resup_client *client,
                                    const char *proxy);

/**
 * Sets the hosts that are reached without a proxy, in place of the environment's no_proxy.
 *
 * @param list  domains (with all below them), addresses, CIDR blocks, each perhaps with a port, or
 *              "*", between commas; empty for none; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_no_proxy(resup_client *client,
                                       const char *list);

/**
 * Sets which root certificates are trusted while no CA was given.
 *
 * @param trust  #RESUP_TRUST_SYSTEM or #RESUP_TRUST_BUNDLED
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_trust(resup_client *client,
                                    int32_t trust);

/**
 * Trusts the CA certificates in a PEM file, and no others but those of further calls. The file is
 * read at once.
 *
 * @param path  UTF-8; copied
 * @return #RESUP_OK; #RESUP_E_ARGUMENT when it cannot be read, has no certificate, or has one that
 *         cannot be used as a root: then none of them is trusted; #RESUP_E_NULL, #RESUP_E_UTF8 or a
 *         handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_ca_file(resup_client *client,
                                      const char *path);

/**
 * As resup_client_set_ca_file, for a path in UTF-16, as Windows has them.
 *
 * @param path  0-terminated UTF-16; copied
 * @return #RESUP_OK; #RESUP_E_ARGUMENT when it cannot be read, has no certificate, or has one that
 *         cannot be used as a root: then none of them is trusted; #RESUP_E_NULL, #RESUP_E_UTF8 or a
 *         handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_ca_file_utf16(resup_client *client,
                                            const uint16_t *path);

/**
 * As resup_client_set_ca_file, for a PEM text.
 *
 * @param pem  one certificate or more; copied
 * @return #RESUP_OK; #RESUP_E_ARGUMENT when it cannot be read, has no certificate, or has one that
 *         cannot be used as a root: then none of them is trusted; #RESUP_E_NULL, #RESUP_E_UTF8 or a
 *         handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_ca_pem(resup_client *client,
                                     const char *pem);

/**
 * Sets the certificate that this side shows when the server asks for one.
 *
 * @param certificate  path of a PEM file with the chain, its own certificate first; copied
 * @param key          path of a PEM file with the key, not encrypted; may be the same file; copied
 * @return #RESUP_OK; #RESUP_E_ARGUMENT when a file cannot be read or used, or the key does not fit;
 *         #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * The files are read at once. What the library keeps of the key is overwritten in memory when it is
 * let go; not so what its TLS makes of it.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_client_certificate(resup_client *client,
                                                 const char *certificate,
                                                 const char *key);

/**
 * As resup_client_set_client_certificate, for paths in UTF-16, as Windows has them.
 *
 * @param certificate  0-terminated UTF-16; copied
 * @param key          0-terminated UTF-16; copied
 * @return #RESUP_OK; #RESUP_E_ARGUMENT when a file cannot be read or used, or the key does not fit;
 *         #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error
 *
 * The files are read at once. What the library keeps of the key is overwritten in memory when it is
 * let go; not so what its TLS makes of it.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_client_certificate_utf16(resup_client *client,
                                                       const uint16_t *certificate,
                                                       const uint16_t *key);

/**
 * Sets whether the server's certificate is verified. Without, whoever is on the way can read and
 * change everything, credentials too; each run logs a warning.
 *
 * @param verify  0 for no; else yes, the default
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_tls_verify(resup_client *client,
                                         int32_t verify);

/**
 * Sets how file names are written into forms.
 *
 * @param style  #RESUP_FILENAME_WHATWG or #RESUP_FILENAME_RFC8187
 * @return #RESUP_OK, #RESUP_E_ARGUMENT or a handle's error
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_client_set_filename_style(resup_client *client,
                                             int32_t style);

/**
 * What a status means, in one English sentence.
 *
 * @param status  any value
 * @return a static text, never NULL; for an unknown code, one that says so.
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
const char *resup_status_message(resup_status status);

/**
 * Makes an upload of a file, under the file's own name.
 *
 * @param client  the server to upload to; may be freed before the upload
 * @param path    the file, UTF-8; copied
 * @param out     where the upload goes on success; to be freed with resup_upload_free
 * @return #RESUP_OK; #RESUP_E_SOURCE_NOT_FOUND, #RESUP_E_SOURCE_DENIED,
 *         #RESUP_E_SOURCE_NOT_A_FILE, #RESUP_E_SOURCE_IO; #RESUP_E_ARGUMENT for a name that
 *         cannot be one; #RESUP_E_NULL, #RESUP_E_UTF8 or a handle's error. After a failure,
 *         resup_client_error_message tells more.
 *
 * Nothing is sent yet, and the file is not kept open. Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_new_file(resup_client *client,
                                   const char *path,
                                   resup_upload **out);

/**
 * As resup_upload_new_file, with a path in UTF-16, as Windows and Java have it.
 *
 * @param client  the server to upload to; may be freed before the upload
 * @param path    the file, UTF-16 in the machine's byte order, ending with 0; copied
 * @param out     where the upload goes on success; to be freed with resup_upload_free
 * @return as resup_upload_new_file
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_new_file_utf16(resup_client *client,
                                         const uint16_t *path,
                                         resup_upload **out);

/**
 * Makes an upload of bytes in memory.
 *
 * @param client  the server to upload to; may be freed before the upload
 * @param data    the bytes; copied; may be NULL when there are none
 * @param size    how many
 * @param name    the file name for the server, UTF-8; copied
 * @param out     where the upload goes on success; to be freed with resup_upload_free
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8, #RESUP_E_SYSTEM when there
 *         is no memory for the copy, or a handle's error. After a failure,
 *         resup_client_error_message tells more.
 *
 * Its MD5 is computed before it is sent, since nothing else tells two versions of it apart.
 * Threads: any. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_new_memory(resup_client *client,
                                     const void *data,
                                     size_t size,
                                     const char *name,
                                     resup_upload **out);

/**
 * Frees an upload. One that is under way after resup_upload_start is cancelled, and no callback
 * is called for that; what the server has is kept there.
 *
 * @param upload  an upload, or NULL, which does nothing
 * @return #RESUP_OK; #RESUP_E_BUSY while another thread, or a callback of this upload, is
 *         inside a call on it; #RESUP_E_FREED, #RESUP_E_HANDLE, #RESUP_E_HANDLE_KIND. After an
 *         error nothing has changed.
 *
 * Threads: any. Callbacks: the destroy functions of the registered callbacks.
 */
RESUP_API
resup_status resup_upload_free(resup_upload *upload);

/**
 * Uploads, and returns at the end. On the way the callbacks are called, on this thread.
 *
 * Breaks of the network and of the server are waited out and gone on from, within the client's
 * limits. After a failure the upload may be run again; it goes on where the server is.
 *
 * @param upload  an upload
 * @return #RESUP_OK when the server has confirmed the whole file; #RESUP_E_CANCELLED; any of
 *         the errors of the file, the network and the server; #RESUP_E_STATE when it was
 *         started before; #RESUP_E_BUSY, #RESUP_E_SYSTEM, #RESUP_E_INTERNAL or a handle's error.
 *         resup_upload_error_message tells more.
 *
 * Threads: one at a time. Callbacks: all.
 */
RESUP_API
resup_status resup_upload_run(resup_upload *upload);

/**
 * Starts an upload and returns at once. It goes on by itself, on a thread of the library, which
 * calls nothing: call resup_upload_wait, from a timer for example, to have the callbacks called
 * and to learn the end.
 *
 * @param upload  an upload
 * @return #RESUP_OK; #RESUP_E_STATE when it is under way; #RESUP_E_BUSY, #RESUP_E_SYSTEM,
 *         #RESUP_E_INTERNAL or a handle's error
 *
 * Threads: one at a time. Callbacks: the destroy function of a log callback that was replaced.
 */
RESUP_API
resup_status resup_upload_start(resup_upload *upload);

/**
 * Calls the callbacks for what happened since the last call, on this thread, and waits for more.
 *
 * @param upload      an upload that was started
 * @param timeout_ms  the most time to wait, in milliseconds; 0 only looks; #RESUP_FOREVER
 * @return #RESUP_PENDING while the upload goes on; at its end, and from then on, what
 *         resup_upload_run would have returned; #RESUP_E_STATE before resup_upload_start
 *
 * Threads: one at a time. Callbacks: all.
 */
RESUP_API
resup_status resup_upload_wait(resup_upload *upload,
                               uint32_t timeout_ms);

/**
 * Ends an upload. Returns at once; resup_upload_run or resup_upload_wait returns
 * #RESUP_E_CANCELLED within 100 ms, also when the network hangs. What the server has is kept
 * there. Called before the first run, it ends that run at its beginning; after the end of a
 * run it does nothing.
 *
 * @param upload  an upload
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any, at any time, callbacks included. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_cancel(resup_upload *upload);

/**
 * Pauses an upload: its connection is closed, and it waits for resup_upload_resume. What the
 * server has is kept there. Returns at once.
 *
 * @param upload  an upload
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any, at any time, callbacks included. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_pause(resup_upload *upload);

/**
 * Goes on after resup_upload_pause, from where the server is then. Returns at once.
 *
 * @param upload  an upload
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any, at any time, callbacks included. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_resume(resup_upload *upload);

/**
 * Registers the progress callback, in place of an earlier one.
 *
 * @param upload     an upload
 * @param callback   called from within resup_upload_run and resup_upload_wait, on the thread
 *                   that called these; NULL for none
 * @param user_data  handed to the callback; may be NULL
 * @param destroy    called once when the library lets go of user_data; may be NULL. When
 *                   registering fails, it is called at once.
 * @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: the destroy function of the one replaced.
 */
RESUP_API
resup_status resup_upload_on_progress(resup_upload *upload,
                                      resup_progress_callback callback,
                                      void *user_data,
                                      resup_destroy_callback destroy);

/**
 * Registers the state callback, in place of an earlier one.
 *
 * @param upload     an upload
 * @param callback   as for resup_upload_on_progress
 * @param user_data  as for resup_upload_on_progress
 * @param destroy    as for resup_upload_on_progress
 * @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: the destroy function of the one replaced.
 */
RESUP_API
resup_status resup_upload_on_state(resup_upload *upload,
                                   resup_state_callback callback,
                                   void *user_data,
                                   resup_destroy_callback destroy);

/**
 * Registers the completion callback, in place of an earlier one. It is called exactly once for
 * every run whose end resup_upload_run or resup_upload_wait tells, as the last callback.
 *
 * @param upload     an upload
 * @param callback   as for resup_upload_on_progress
 * @param user_data  as for resup_upload_on_progress
 * @param destroy    as for resup_upload_on_progress
 * @return #RESUP_OK, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: the destroy function of the one replaced.
 */
RESUP_API
resup_status resup_upload_on_complete(resup_upload *upload,
                                      resup_complete_callback callback,
                                      void *user_data,
                                      resup_destroy_callback destroy);

/**
 * The upload's state, one of the RESUP_STATE_ constants; 0 for a handle that is not valid.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
int32_t resup_upload_state(const resup_upload *upload);

/**
 * Bytes in the whole file; 0 before the first run has opened it.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint64_t resup_upload_size(const resup_upload *upload);

/**
 * Bytes that the server has confirmed to hold, from the start of the file.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint64_t resup_upload_offset(const resup_upload *upload);

/**
 * The confirmed bytes and those handed to the network since: what a progress bar shows. It goes
 * back when a break has lost some.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint64_t resup_upload_position(const resup_upload *upload);

/**
 * File bytes handed to the network in this run, those that a break lost included.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint64_t resup_upload_bytes_sent(const resup_upload *upload);

/**
 * File bytes that this run did not have to send because the server had them at its beginning.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint64_t resup_upload_bytes_skipped(const resup_upload *upload);

/**
 * Bytes per second over the last seconds; 0 while nothing is being sent.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint64_t resup_upload_rate(const resup_upload *upload);

/**
 * Milliseconds left to the end at the present rate; #RESUP_FOREVER where that cannot be told.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint32_t resup_upload_time_left(const resup_upload *upload);

/**
 * How often this run began to ask the server for its offset: 1, and 1 more after every break and
 * pause.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint32_t resup_upload_attempts(const resup_upload *upload);

/**
 * In #RESUP_STATE_WAITING, the milliseconds left until the next attempt; else 0.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
uint32_t resup_upload_retry_in(const resup_upload *upload);

/**
 * The HTTP status of the server's last answer in this run; 0 when there was none.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
int32_t resup_upload_http_status(const resup_upload *upload);

/**
 * Whether running the upload again, later and unchanged, may succeed where the last run failed:
 * 1 or 0.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
int32_t resup_upload_is_retryable(const resup_upload *upload);

/**
 * The server's own key of the upload.
 *
 * @return a text, or NULL when there is none; borrowed: valid until resup_upload_free. So for
 *         all texts of an upload.
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
const char *resup_upload_id(const resup_upload *upload);

/**
 * Where the finished file is to be found, in the server's words.
 *
 * @return a text, or NULL when there is none; borrowed as resup_upload_id's
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
const char *resup_upload_location(const resup_upload *upload);

/**
 * The MD5 of the whole file, 32 lower-case hex digits, once it is complete; NULL before, and
 * when the server had the file already and it was not read.
 *
 * @return a text or NULL; borrowed as resup_upload_id's
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
const char *resup_upload_md5(const resup_upload *upload);

/**
 * The server's last message for a person.
 *
 * @return a text, or NULL when there is none; borrowed as resup_upload_id's
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
const char *resup_upload_server_message(const resup_upload *upload);

/**
 * The start of the body, up to 200 characters in one line, of the server's last refusal in this
 * run: what a proxy or a login page says where the server has no message.
 *
 * @return a text, or NULL when there is none; borrowed as resup_upload_id's
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
const char *resup_upload_server_excerpt(const resup_upload *upload);

/**
 * What went wrong in the last call on this upload that failed, and what to do about it.
 *
 * @return a text, empty when nothing failed since the last run began or ended well, NULL for a
 *         handle that is not valid; borrowed as resup_upload_id's
 *
 * Threads: any, at any time. Callbacks: none.
 */
RESUP_API
const char *resup_upload_error_message(const resup_upload *upload);

/**
 * Sets the file name that the server is told. Default: the file's own.
 *
 * @param name  UTF-8 without a path, at most 1024 bytes; copied
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_NULL, #RESUP_E_UTF8, #RESUP_E_STATE during a
 *         run, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_name(resup_upload *upload,
                                   const char *name);

/**
 * Sets the directory on the server. Default: empty, the server's own choice.
 *
 * @param directory  UTF-8, separated by /; copied
 * @return as resup_upload_set_name
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_directory(resup_upload *upload,
                                        const char *directory);

/**
 * Sets the file's MIME type. Default: by the extension of its name, else application/octet-stream.
 *
 * @param content_type  ASCII, type/subtype and perhaps parameters after a semicolon; copied
 * @return as resup_upload_set_name
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_content_type(resup_upload *upload,
                                           const char *content_type);

/**
 * Adds a form field of the program's own, sent with every request of this upload. The same name
 * again replaces the value.
 *
 * @param name   UTF-8, none of the protocol's own names; copied
 * @param value  UTF-8; copied
 * @return as resup_upload_set_name
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_field(resup_upload *upload,
                                    const char *name,
                                    const char *value);

/**
 * Sets whether and when the MD5 of the file is computed. Memory and streams have no modification
 * time, so that only their content tells two versions apart: their MD5 is computed before the
 * first request in every mode.
 *
 * @param mode  #RESUP_DIGEST_NONE, #RESUP_DIGEST_MD5 or #RESUP_DIGEST_MD5_FIRST
 * @return #RESUP_OK, #RESUP_E_ARGUMENT, #RESUP_E_STATE during a run, #RESUP_E_BUSY or a handle's
 *         error
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_digest(resup_upload *upload,
                                     int32_t mode);

/**
 * Sets a file in which the upload keeps states of the digest, so that a resume by another run of
 * the program does not read again what the server already has. It is never needed: where it is
 * missing, damaged or of another file, the upload reads more and ends right. It holds no secret,
 * and is removed when the upload is complete. A file at that path that is no state file is left
 * as it is, and no state is kept then; nor is it for memory and streams.
 *
 * @param path  UTF-8; a place of its own for each upload; copied. Default: none.
 * @return #RESUP_OK, #RESUP_E_ARGUMENT for an empty path, #RESUP_E_NULL, #RESUP_E_UTF8,
 *         #RESUP_E_STATE during a run, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_state_file(resup_upload *upload,
                                         const char *path);

/**
 * As resup_upload_set_state_file, with a path in UTF-16, as Windows and Java have it.
 *
 * @param path  UTF-16 in the machine's byte order, ending with 0; copied
 * @return as resup_upload_set_state_file
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_state_file_utf16(resup_upload *upload,
                                               const uint16_t *path);

/**
 * Sets the most file bytes that one request carries. For servers and proxies that see a request
 * only when it is whole: what a break costs there is one segment.
 *
 * A server's own limit counts in any case, and after an HTTP 413 the size is halved, for all
 * uploads of the client.
 *
 * @param bytes  a number of bytes, #RESUP_SEGMENT_UNLIMITED or #RESUP_SEGMENT_AUTOMATIC
 * @return #RESUP_OK, #RESUP_E_STATE during a run, #RESUP_E_BUSY or a handle's error
 *
 * Threads: one at a time. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_segment_size(resup_upload *upload,
                                           uint64_t bytes);

/**
 * Sets the most file bytes per second that this upload sends. Counts at once, also during a run.
 *
 * @param bytes_per_second  0, the default, for no limit
 * @return #RESUP_OK or a handle's error
 *
 * Threads: any, at any time, callbacks included. Callbacks: none.
 */
RESUP_API
resup_status resup_upload_set_rate_limit(resup_upload *upload,
                                         uint64_t bytes_per_second);

/**
 * Makes an upload of what the program's own functions give: a file in an archive, a database's
 * blob, a stream of another language.
 *
 * The functions are called only from within resup_upload_run and resup_upload_wait, on the thread
 * that called these; so after resup_upload_start the upload goes on only while the program waits,
 * and is cancelled within 100 ms only if they return by then. All three are needed: after a break the
 * upload goes back to where the server is. What they give must stay the same during a run; other
 * bytes are noticed (#RESUP_E_SOURCE_CHANGED). It is read twice, first for its MD5, since nothing
 * else tells two versions of it apart.
 *
 * @param client     the server to upload to; may be freed before the upload
 * @param name       the file name for the server, UTF-8; copied
 * @param read       reads
 * @param seek       sets where the next read begins
 * @param size       tells the size
 * @param user_data  handed to the functions; may be NULL
 * @param destroy    called once when the library lets go of user_data, at the latest in
 *                   resup_upload_free; may be NULL. When this function fails, it is called at
 *                   once.
 * @param out        where the upload goes on success; to be freed with resup_upload_free
 * @return #RESUP_OK, #RESUP_E_ARGUMENT for a name that cannot be one, #RESUP_E_NULL for a missing
 *         function too, #RESUP_E_UTF8 or a handle's error. After a failure,
 *         resup_client_error_message tells more.
 *
 * Threads: any. Callbacks: on failure destroy, else none.
 */
RESUP_API
resup_status resup_upload_new_stream(resup_client *client,
                                     const char *name,
                                     resup_read_callback read,
                                     resup_seek_callback seek,
                                     resup_size_callback size,
                                     void *user_data,
                                     resup_destroy_callback destroy,
                                     resup_upload **out);

/**
 * The version of the library that is loaded, for example "0.1.0".
 *
 * @return a static text
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
const char *resup_version(void);

/**
 * The version of the library that is loaded, as #RESUP_VERSION_NUMBER has it for the header
 * that the program was compiled with.
 *
 * Threads: any. Callbacks: none.
 */
RESUP_API
uint32_t resup_version_number(void);

#ifdef __cplusplus
}
#endif

#endif /* RESUP_H */
