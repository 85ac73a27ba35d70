/**
 * @file stream.hpp
 * @brief Reads a C++ stream for C. Not for programs.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_STREAM_HPP
#define RESUP_STREAM_HPP

#include <resup/callback.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>

/// @cond internal
namespace resup::detail {

/// A stream with the three functions that the C API reads it by.
struct Stream {
    std::unique_ptr<std::istream> stream;

    /// The number for a stream that fails; the error message has it.
    static constexpr std::int32_t failed = 1;

    static std::int32_t read(void *buffer, std::size_t size, std::size_t *read, void *user_data) noexcept
    {
        *read = 0;
        return of(user_data, [&](std::istream &in) {
            if (in.peek() == std::istream::traits_type::eof())
                return !in.bad();
            // One that fails in the middle of a read does not tell what it has given. So only what its buffer has is read.
            const auto room = static_cast<std::streamsize>(size);
            const auto there = in.rdbuf()->in_avail();
            in.read(static_cast<char *>(buffer), there > 0 ? (std::min)(there, room) : room);
            *read = static_cast<std::size_t>(in.gcount());
            return !in.bad();
        });
    }

    static std::int32_t seek(std::uint64_t offset, void *user_data) noexcept
    {
        return of(user_data, [&](std::istream &in) {
            in.seekg(static_cast<std::streamoff>(offset));
            return in.good();
        });
    }

    static std::int32_t size(std::uint64_t *size, void *user_data) noexcept
    {
        return of(user_data, [&](std::istream &in) {
            in.seekg(0, std::ios::end);
            const std::streamoff end = in.tellg();
            *size = static_cast<std::uint64_t>(end);
            return in.good() && end >= 0;
        });
    }

  private:
    template <class Work> static std::int32_t of(void *user_data, Work &&work) noexcept
    {
        bool done = false;
        auto &self = *static_cast<Stream *>(user_data);
        guard([&] {
            if (!self.stream)
                return;
            self.stream->clear();
            // The end is no failure, so it must not be thrown; a broken stream may be.
            self.stream->exceptions(self.stream->exceptions() & std::ios::badbit);
            done = work(*self.stream);
        });
        return done ? 0 : failed;
    }
};

} // namespace resup::detail
/// @endcond

#endif
