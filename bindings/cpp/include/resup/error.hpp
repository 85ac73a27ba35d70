/**
 * @file error.hpp
 * @brief Errors and their codes.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_ERROR_HPP
#define RESUP_ERROR_HPP

#include <resup.h>

#include <memory>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

/** @brief Whether the program is compiled with exceptions. Without them, functions that throw are not there. */
#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define RESUP_HAS_EXCEPTIONS 1
#else
#define RESUP_HAS_EXCEPTIONS 0
#endif

/** @brief Resumable uploads by ordinary HTML-form POST. */
namespace resup {

/**
 * @brief The outcome of a call: the C API's RESUP_OK and RESUP_E_ codes, which resup.h explains.
 *
 * Compare it with a `std::error_code`: `if (error.code() == resup::Errc::not_allowed)`. (It is not called Status, since
 * that is a macro of X11.)
 */
enum class Errc : resup_status {
    ok = RESUP_OK,                              ///< Success.
    pending = RESUP_PENDING,                    ///< The upload goes on; here wait() returns false.
    null = RESUP_E_NULL,                        ///< The object is empty, or was moved from.
    handle = RESUP_E_HANDLE,                    ///< The argument never was a handle.
    freed = RESUP_E_FREED,                      ///< The handle has been freed before.
    handle_kind = RESUP_E_HANDLE_KIND,          ///< A client was given for an upload, or the other way round.
    utf8 = RESUP_E_UTF8,                        ///< A text is not valid UTF-8 (or UTF-16).
    argument = RESUP_E_ARGUMENT,                ///< A value cannot be used; the message says why.
    url = RESUP_E_URL,                          ///< An address is no http or https URL.
    busy = RESUP_E_BUSY,                        ///< Another thread, or a callback, is inside a call.
    state = RESUP_E_STATE,                      ///< The call does not fit the upload's state.
    source_not_found = RESUP_E_SOURCE_NOT_FOUND, ///< There is no such file.
    source_denied = RESUP_E_SOURCE_DENIED,      ///< The file may not be read.
    source_not_a_file = RESUP_E_SOURCE_NOT_A_FILE, ///< The path names a directory or device.
    source_io = RESUP_E_SOURCE_IO,              ///< Reading the file failed.
    source_changed = RESUP_E_SOURCE_CHANGED,    ///< The file changed while it was being uploaded.
    resolve = RESUP_E_RESOLVE,                  ///< The server's name was not found.
    connect = RESUP_E_CONNECT,                  ///< No connection came about.
    connection_lost = RESUP_E_CONNECTION_LOST,  ///< The connection was lost, again and again.
    timeout = RESUP_E_TIMEOUT,                  ///< A time limit passed, again and again.
    tls = RESUP_E_TLS,                          ///< TLS failed, or the certificate is not trusted.
    proxy = RESUP_E_PROXY,                      ///< The proxy refuses.
    not_allowed = RESUP_E_NOT_ALLOWED,          ///< HTTP 401, 403, a login that failed.
    too_large = RESUP_E_TOO_LARGE,              ///< HTTP 413: the file is more than the server takes.
    locked = RESUP_E_LOCKED,                    ///< HTTP 423: another client keeps writing this upload.
    server_busy = RESUP_E_SERVER_BUSY,          ///< HTTP 429, 503.
    server_failing = RESUP_E_SERVER_FAILING,    ///< HTTP 408, 417, 500, 502, 504.
    no_space = RESUP_E_NO_SPACE,                ///< HTTP 507: the server has no room.
    refused = RESUP_E_REFUSED,                  ///< The server refused for another reason.
    bad_response = RESUP_E_BAD_RESPONSE,        ///< The server's answer is not of the protocol.
    response_too_long = RESUP_E_RESPONSE_TOO_LONG, ///< The server's answer is far too long.
    bad_offset = RESUP_E_BAD_OFFSET,            ///< The server claims an offset that cannot be.
    digest = RESUP_E_DIGEST,                    ///< The server stored what was not sent.
    digest_unavailable = RESUP_E_DIGEST_UNAVAILABLE, ///< The server does not use the digest that was asked for.
    cancelled = RESUP_E_CANCELLED,              ///< The upload was cancelled.
    system = RESUP_E_SYSTEM,                    ///< The system refused a thread or random numbers.
    internal = RESUP_E_INTERNAL                 ///< A defect in the library was caught.
};

} // namespace resup

/// @cond internal
template <> struct std::is_error_code_enum<resup::Errc> : std::true_type {};
/// @endcond

namespace resup {

/** @brief The category of this library's error codes. */
class Category : public std::error_category {
  public:
    /** @brief "resup". */
    const char *name() const noexcept override { return "resup"; }

    /** @brief What a status means, in one English sentence. */
    std::string message(int code) const override { return resup_status_message(code); }

    /** @brief The portable condition, where there is one. */
    std::error_condition default_error_condition(int code) const noexcept override
    {
        switch (static_cast<Errc>(code)) {
        case Errc::argument:
        case Errc::url:
        case Errc::utf8: return std::errc::invalid_argument;
        case Errc::busy: return std::errc::device_or_resource_busy;
        case Errc::source_not_found: return std::errc::no_such_file_or_directory;
        case Errc::source_denied:
        case Errc::not_allowed: return std::errc::permission_denied;
        case Errc::source_io: return std::errc::io_error;
        case Errc::connect: return std::errc::not_connected;
        case Errc::connection_lost: return std::errc::connection_aborted;
        case Errc::timeout: return std::errc::timed_out;
        case Errc::too_large: return std::errc::file_too_large;
        case Errc::no_space: return std::errc::no_space_on_device;
        case Errc::cancelled: return std::errc::operation_canceled;
        default: return {code, *this};
        }
    }
};

/** @brief The one category. */
inline const std::error_category &category() noexcept
{
    static const Category only;
    return only;
}

/** @brief An error code, so that Errc converts to one. */
inline std::error_code make_error_code(Errc status) noexcept
{
    return {static_cast<int>(status), category()};
}

/**
 * @brief What is thrown when a call fails.
 *
 * @code
 * try {
 *     upload.run();
 * } catch (const resup::Error &error) {
 *     std::cerr << error.what() << '\n';             // says what to do, too
 *     if (error.is_retryable())
 *         try_again_later();
 *     else if (error.code() == resup::Errc::not_allowed)
 *         ask_for_a_login(error.server_message());
 * }
 * @endcode
 */
class Error : public std::system_error {
  public:
    /** @brief What an error knows beside its code. */
    struct Details {
        std::string message;        ///< One line or more for a person.
        std::string server_message; ///< The server's own message; empty when it sent none.
        int http_status = 0;        ///< Of the server's last answer; 0 when there was none.
        bool retryable = false;     ///< Running again, later and unchanged, may succeed.
    };

    /** @brief An error of the library. */
    Error(std::error_code code, Details details)
        : std::system_error(code), details_(std::make_shared<const Details>(std::move(details)))
    {
    }

    /** @brief What went wrong and what to do about it: one line or more for a person, UTF-8. */
    const char *what() const noexcept override { return details_->message.c_str(); }

    /** @brief The HTTP status of the server's last answer; 0 when there was none. */
    int http_status() const noexcept { return details_->http_status; }

    /** @brief The server's message for a person, UTF-8; empty when it sent none. */
    const std::string &server_message() const noexcept { return details_->server_message; }

    /** @brief Whether running the upload again, later and unchanged, may succeed; the library says so. */
    bool is_retryable() const noexcept { return details_->retryable; }

  private:
    std::shared_ptr<const Details> details_; // Exceptions are copied without failing.
};

/**
 * @brief The message of the last call on this thread that failed, without an upload.
 * @param client  the client that was called, or that an upload was to be made with; null when there is no client yet
 * @return a text, empty when nothing failed
 */
inline std::string last_error_message(const resup_client *client = nullptr)
{
    return resup_client_error_message(client);
}

} // namespace resup

#endif
