/**
 * @file run.hpp
 * @brief Runs an upload and waits for it. Not for programs.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_RUN_HPP
#define RESUP_RUN_HPP

#include <resup/callback.hpp>
#include <resup/convert.hpp>
#include <resup/error.hpp>

#include <chrono>
#include <string>
#include <utility>
#if __cplusplus >= 202002L && __has_include(<stop_token>)
#include <stop_token>
#endif

/// @cond internal
namespace resup::detail {

/// Waits. Returns whether the upload is complete; `error` is clear then, and when it goes on.
inline bool wait(const Scope &scope, std::chrono::milliseconds time, std::error_code &error) noexcept
{
    const bool forever = time.count() < 0 || time.count() >= RESUP_FOREVER;
    const auto most = static_cast<std::uint32_t>(forever ? RESUP_FOREVER : time.count());
    const resup_status status = resup_upload_wait(scope.upload(), most);
    error = static_cast<Errc>(status == RESUP_PENDING ? RESUP_OK : status);
    return status == RESUP_OK;
}

inline std::error_code run(const Scope &scope) noexcept
{
    return static_cast<Errc>(resup_upload_run(scope.upload()));
}

inline std::error_code discard(const Scope &scope) noexcept
{
    return static_cast<Errc>(resup_upload_discard(scope.upload()));
}

#ifdef __cpp_lib_jthread
inline std::error_code run(const Scope &scope, const std::stop_token &token) noexcept
{
    // Start first: a cancel between two runs does nothing.
    if (const resup_status status = resup_upload_start(scope.upload()))
        return static_cast<Errc>(status);
    std::stop_callback stop(token, [&scope] { resup_upload_cancel(scope.upload()); });
    std::error_code error;
    wait(scope, std::chrono::milliseconds(-1), error);
    return error;
}
#endif

#if RESUP_HAS_EXCEPTIONS
inline std::string message(resup_upload *upload, std::error_code error)
{
    const std::string own = from_c(resup_upload_error_message(upload)).value_or("");
    return own.empty() || error == Errc::busy ? last_error_message() : own;
}

/// Throws the failure of a call that is no run.
[[noreturn]] inline void fail(resup_upload *upload, std::error_code error, const std::string &fault = "")
{
    throw Error(error, {fault.empty() ? message(upload, error) : fault, {}, 0, false});
}

/// Ends a run: throws what a callback threw, else the run's failure with what the server said.
inline void conclude(Scope &scope, std::error_code error)
{
    scope.rethrow();
    if (!error)
        return;
    resup_upload *upload = scope.upload();
    Error::Details details{message(upload, error), {}, 0, false};
    if (error != Errc::busy) {
        details.server_message = from_c(resup_upload_server_message(upload)).value_or("");
        details.http_status = resup_upload_http_status(upload);
        details.retryable = resup_upload_is_retryable(upload) != 0;
    }
    throw Error(error, std::move(details));
}

/// Runs an upload and throws its failure. Shares the handle, so that a callback may destroy the object.
template <class... Token> void run_or_throw(Handle handle, const Token &...token)
{
    Scope scope(std::move(handle));
    conclude(scope, run(scope, token...));
}

inline void discard_or_throw(Handle handle)
{
    Scope scope(std::move(handle));
    conclude(scope, discard(scope));
}
#endif

} // namespace resup::detail
/// @endcond

#endif
