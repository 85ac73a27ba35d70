/**
 * @file convert.hpp
 * @brief Conversions from C++ values to C values. Not for programs.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_CONVERT_HPP
#define RESUP_CONVERT_HPP

#include <resup/error.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

/** @brief The C function that takes a path as `std::filesystem::path` holds it. */
#ifdef _WIN32
#define RESUP_NATIVE(function) function##_utf16
#else
#define RESUP_NATIVE(function) function
#endif

/// @cond internal
namespace resup::detail {

#ifdef _WIN32
static_assert(sizeof(wchar_t) == sizeof(std::uint16_t), "paths are UTF-16 on Windows");
using PathUnit = std::uint16_t;
#else
using PathUnit = char;
#endif

inline const char *to_c(const std::string &text) noexcept { return text.c_str(); }

/// Converts to milliseconds; of a longer time than C takes, to the longest that it takes.
inline std::uint32_t to_c(std::chrono::milliseconds time) noexcept
{
    return static_cast<std::uint32_t>(time.count() > INT32_MAX ? INT32_MAX : time.count());
}

/// Converts a path to its characters and an enumeration or a bool to its number, and returns numbers and pointers as they are.
/// (As one function: where overloads are, libc++ asks of each pointer whether it could be a path, and has no answer for void.)
template <class Value> auto to_c(const Value &value) noexcept
{
    if constexpr (std::is_same_v<Value, std::filesystem::path>)
        return reinterpret_cast<const PathUnit *>(value.c_str());
    else if constexpr (std::is_enum_v<Value> || std::is_same_v<Value, bool>)
        return static_cast<std::int32_t>(value);
    else
        return value;
}

/// Copies a text that C owns; nothing for NULL.
inline std::optional<std::string> from_c(const char *text)
{
    return text ? std::optional<std::string>(text) : std::nullopt;
}

/// Points to the same bytes, as C takes bytes.
inline const std::uint8_t *bytes(std::string_view text) noexcept
{
    return reinterpret_cast<const std::uint8_t *>(text.data());
}

/// Tells whether C gets the whole text: for C it ends at the first NUL.
inline bool fits(const std::string &text) noexcept { return text.find('\0') == std::string::npos; }

inline bool fits(std::chrono::milliseconds time) noexcept { return time.count() >= 0; }

template <class Value> bool fits(const Value &) noexcept { return true; }

/// Calls a C function on an object, with C++ values.
template <class Object, class... Parameters, class... Arguments>
std::error_code call(resup_status (*function)(Object *, Parameters...), Object *object,
                     const Arguments &...arguments) noexcept
{
    if (!(fits(arguments) && ...))
        return Errc::argument;
    return static_cast<Errc>(function(object, to_c(arguments)...));
}

/// Says what is wrong with a value that does not fit; returns an empty text for one that fits.
inline std::string fault(const std::string &text)
{
    return fits(text) ? "" : "a text has a NUL in it, at which it would end";
}

inline std::string fault(std::chrono::milliseconds time)
{
    return fits(time) ? "" : "a time of " + std::to_string(time.count()) + " ms is less than none";
}

template <class Value> std::string fault(const Value &) { return ""; }

/// Says what is wrong with these values.
template <class... Arguments> std::string faults(const Arguments &...arguments)
{
    std::string all;
    ((all += fault(arguments)), ...);
    return all;
}

} // namespace resup::detail
/// @endcond

#endif
