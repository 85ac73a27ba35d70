/**
 * @file resup.hpp
 * @brief Resumable uploads for C++17 and later: everything.
 *
 * Header-only, over the C API of resup.h. A program makes a resup::Client for a server and a resup::Upload for
 * a file, and runs it:
 *
 * @code
 * #include <resup/resup.hpp>
 * #include <iostream>
 *
 * int main() try {
 *     resup::Client client("https://example.org/upload");
 *     resup::Upload upload(client, "video.mp4");
 *     upload.on_progress([](const resup::Progress &now) {
 *         std::cout << now.position << " of " << now.size << " bytes\r" << std::flush;
 *     });
 *     upload.run();
 *     std::cout << "\ndigest " << upload.digest().value_or("unknown") << '\n';
 * } catch (const resup::Error &error) {
 *     std::cerr << error.what() << '\n';
 *     return 1;
 * }
 * @endcode
 *
 * Threads. Callbacks run only on the thread that is inside run() or wait(); no thread of the library ever calls the
 * program. Every thread may call cancel(), pause(), resume() and set_rate_limit(), read the numbers and texts, and
 * change a client's settings at any time. Everything else on one upload is for one thread at a time (else Errc::busy).
 *
 * Exceptions. Failures are thrown as resup::Error. An exception that leaves a callback cancels the upload and is thrown
 * again by the run() or wait() that the callback was called from.
 *
 * Error codes. Each constructor, setter and call that throws has an overload with a `std::error_code &` as its last
 * parameter, as the functions of std::filesystem have: it sets the code, or clears it, and throws no Error. With
 * `-fno-exceptions` only these are there. A text with a NUL in it and a time below 0, which C cannot take, are
 * Errc::argument in both.
 *
 * @code
 * std::error_code error;
 * resup::Client client("https://example.org/upload", error);
 * resup::Upload upload(client, "video.mp4", error);   // of an empty client: Errc::null
 * upload.run(error);
 * if (error)
 *     std::cerr << upload.error_message() << '\n';
 * @endcode
 *
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_RESUP_HPP
#define RESUP_RESUP_HPP

// (Visual C++ tells its standard in another macro.)
#if __cplusplus < 201703L && (!defined(_MSVC_LANG) || _MSVC_LANG < 201703L)
#error "resup.hpp needs C++17 or later: compile with -std=c++17 (Visual C++: /std:c++17, CMake: target_compile_features(... cxx_std_17))"
#else

#include <resup/client.hpp>
#include <resup/error.hpp>
#include <resup/events.hpp>
#include <resup/remote.hpp>
#include <resup/settings.hpp>
#include <resup/upload.hpp>

#endif
#endif
