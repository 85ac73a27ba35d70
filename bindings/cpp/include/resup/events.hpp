/**
 * @file events.hpp
 * @brief Progress, and the registration of callbacks.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_EVENTS_HPP
#define RESUP_EVENTS_HPP

#include <resup/callback.hpp>
#include <resup/error.hpp>
#include <resup/remote.hpp>

#include <cstdint>
#include <utility>

namespace resup {

/** @brief How far an upload is. */
struct Progress {
    std::uint64_t position; ///< Bytes of the file that the server has or that are on their way.
    std::uint64_t size;     ///< Bytes in the whole file, or RESUP_SIZE_UNKNOWN.
};

/// @cond internal
namespace detail {

/// Registers a function by one of the C API's functions; an empty one ends an earlier registration.
template <class Register, class Callback, class Function>
std::error_code register_by(Register by, resup_upload *upload, Callback callback, Function function)
{
    if (!function)
        return static_cast<Errc>(by(upload, nullptr, nullptr, nullptr));
    auto *user_data = new Function(std::move(function));
    return static_cast<Errc>(by(upload, callback, user_data, destroy<Function>));
}

template <class Function> std::error_code register_progress(resup_upload *upload, Function function)
{
    const auto callback = [](resup_upload *, std::uint64_t position, std::uint64_t size, void *user_data) noexcept {
        return guard([&] { (*static_cast<Function *>(user_data))(Progress{position, size}); });
    };
    return register_by(resup_upload_on_progress, upload, callback, std::move(function));
}

template <class Function> std::error_code register_state(resup_upload *upload, Function function)
{
    const auto callback = [](resup_upload *, std::int32_t state, void *user_data) noexcept {
        return guard([&] { (*static_cast<Function *>(user_data))(static_cast<State>(state)); });
    };
    return register_by(resup_upload_on_state, upload, callback, std::move(function));
}

template <class Function> std::error_code register_complete(resup_upload *upload, Function function)
{
    const auto callback = [](resup_upload *, resup_status status, void *user_data) noexcept {
        return guard([&] { (*static_cast<Function *>(user_data))(static_cast<Errc>(status)); });
    };
    return register_by(resup_upload_on_complete, upload, callback, std::move(function));
}

} // namespace detail
/// @endcond

} // namespace resup

#endif
