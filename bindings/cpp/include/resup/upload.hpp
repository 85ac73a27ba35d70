/**
 * @file upload.hpp
 * @brief The upload of one file.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_UPLOAD_HPP
#define RESUP_UPLOAD_HPP

#include <resup/callback.hpp>
#include <resup/client.hpp>
#include <resup/convert.hpp>
#include <resup/error.hpp>
#include <resup/events.hpp>
#include <resup/remote.hpp>
#include <resup/run.hpp>
#include <resup/settings.hpp>
#include <resup/stream.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <istream>
#include <memory>
#include <string>
#include <string_view>

/** @brief Whether the compiler has std::future: gcc for Windows lacks it in its thread model win32. */
#if defined(__GLIBCXX__) && !defined(_GLIBCXX_HAS_GTHREADS)
#define RESUP_HAS_FUTURE 0
#else
#define RESUP_HAS_FUTURE 1
#endif

namespace resup {

/**
 * @brief The upload of one file. It can be moved, but not copied; destroyed during a run, it is cancelled.
 *
 * To wait for it, call run():
 *
 * @code
 * resup::Upload upload(client, "report.pdf");
 * upload.set_directory("2026/may").set_field("ticket", "4711");
 * upload.run();       // tries again after a lost connection; throws resup::Error when it gives up
 * @endcode
 *
 * In a program with a window, start() it and call wait() from a timer, which calls the callbacks on that thread:
 *
 * @code
 * upload.on_progress([&](const resup::Progress &now) { bar.set(now.position, now.size); });
 * upload.start();
 * // every 100 ms:
 * try {
 *     if (upload.wait(std::chrono::milliseconds(0)))
 *         timer.stop();   // complete
 * } catch (const resup::Error &error) {
 *     timer.stop();       // wait() would throw it each time
 *     show(error.what());
 * }
 * @endcode
 *
 * After a failure it may be run again; it then goes on from what the server has.
 *
 * What throws has an overload that sets a `std::error_code` instead. After a failure of that, error_message() tells
 * more; where there is no upload yet, last_error_message(client.get()) does.
 */
class Upload : public Remote {
  public:
    /** @brief Called about ten times a second while the numbers change, and a last time before the end. */
    using OnProgress = std::function<void(const Progress &)>;
    /** @brief Called with each new state. */
    using OnState = std::function<void(State)>;
    /** @brief Called once at the end of every run, as the last callback; the code is clear when it is complete. */
    using OnComplete = std::function<void(std::error_code)>;

    /** @brief An empty upload, to be moved to. */
    Upload() noexcept = default;

    Upload(const Upload &) = delete;
    Upload &operator=(const Upload &) = delete;

    /** @brief Takes the other one's file, also during a run; the other one is empty then. */
    Upload(Upload &&other) noexcept = default;

    /** @brief As the move constructor; destroys what this one held. */
    Upload &operator=(Upload &&other) noexcept
    {
        Upload temporary(std::move(other));
        handle_.swap(temporary.handle_);
        return *this;
    }

    /**
     * @brief Cancels a run and frees the upload. The server keeps what it has.
     *
     * Waits for a run() on another thread to return, callbacks included. Within its own callback it does not wait: that
     * run frees the upload when it ends. A program that made a run itself, by resup_upload_run, frees the upload after
     * it, by resup_upload_free, if the object was destroyed in a callback, of this upload or of another one.
     */
    ~Upload() { detail::end_runs(handle_); }

    /**
     * @name Construction, without exceptions
     * As the overloads that throw. Each sets `error` or clears it; after a failure the upload is empty.
     * @{
     */

    /** @brief Makes an upload of a file. */
    Upload(const Client &client, const std::filesystem::path &path, std::error_code &error)
    {
        resup_upload *handle = nullptr;
        error = detail::call(RESUP_NATIVE(resup_upload_new_file), client.get(), path, &handle);
        handle_ = detail::own(handle);
    }

    /** @brief Makes an upload of bytes in memory. */
    static Upload from_memory(const Client &client, const std::string &name, const void *data, std::size_t size,
                              std::error_code &error)
    {
        resup_upload *handle = nullptr;
        error = detail::call(resup_upload_new_memory, client.get(), data, size, name, &handle);
        return Upload(handle);
    }

    /** @brief Makes an upload of a text or other bytes. */
    static Upload from_memory(const Client &client, const std::string &name, std::string_view bytes,
                              std::error_code &error)
    {
        return from_memory(client, name, bytes.data(), bytes.size(), error);
    }

    /** @brief Makes an upload of a stream. */
    static Upload from_stream(const Client &client, const std::string &name, std::unique_ptr<std::istream> stream,
                              std::error_code &error)
    {
        return from_stream(client, name, std::move(stream), detail::Stream::seek, detail::Stream::size, error);
    }

    /** @brief Makes an upload of a stream that is read once, to its end. */
    static Upload from_reader(const Client &client, const std::string &name, std::unique_ptr<std::istream> stream,
                              std::error_code &error)
    {
        return from_stream(client, name, std::move(stream), nullptr, nullptr, error);
    }
    /** @} */

#if RESUP_HAS_EXCEPTIONS
    /**
     * @brief Makes an upload of a file, under its own name. Nothing is sent yet, and the file is not kept open.
     * @throws Error  Errc::source_not_found, source_denied, source_not_a_file, source_io
     */
    Upload(const Client &client, const std::filesystem::path &path)
    {
        std::error_code error;
        *this = Upload(client, path, error);
        check(client, error);
    }

    /**
     * @brief Makes an upload of bytes in memory, which are copied.
     * @throws Error  Errc::argument or utf8 for the name, system where there is no memory for the copy
     */
    static Upload from_memory(const Client &client, const std::string &name, const void *data, std::size_t size)
    {
        std::error_code error;
        Upload upload = from_memory(client, name, data, size, error);
        check(client, error, detail::faults(name));
        return upload;
    }

    /** @brief Makes an upload of a text or other bytes, which are copied. */
    static Upload from_memory(const Client &client, const std::string &name, std::string_view bytes)
    {
        return from_memory(client, name, bytes.data(), bytes.size());
    }

    /**
     * @brief Makes an upload of a stream that can seek, open in binary mode.
     *
     * It is read only inside run() and wait(), and twice: first for its digest, since nothing else tells two versions of
     * it apart. An exception that it throws ends the upload and is thrown again.
     * @throws Error  Errc::argument or utf8 for the name
     */
    static Upload from_stream(const Client &client, const std::string &name, std::unique_ptr<std::istream> stream)
    {
        std::error_code error;
        Upload upload = from_stream(client, name, std::move(stream), error);
        check(client, error, detail::faults(name));
        return upload;
    }

    /**
     * @brief Makes an upload of a stream that is read once, to its end: a pipe, an archive that is made on the way.
     *
     * Its size is RESUP_SIZE_UNKNOWN until then. The server has to speak tus with creation-defer-length, or the IETF's
     * protocol. What it has not confirmed is kept in memory, 8 MiB at most: the upload goes on after a lost connection, but
     * never anew. It is read only inside run() and wait(). An exception that it throws ends the run and is thrown again.
     * @throws Error  Errc::argument or utf8 for the name
     */
    static Upload from_reader(const Client &client, const std::string &name, std::unique_ptr<std::istream> stream)
    {
        std::error_code error;
        Upload upload = from_reader(client, name, std::move(stream), error);
        check(client, error, detail::faults(name));
        return upload;
    }

    /** @name Settings
     * They return the upload, so that they can be chained, and throw Error: Errc::argument, utf8, state or busy.
     * @{ */

    /** @brief The file name that the server gets. Default: the file's own. */
    Upload &set_name(const std::string &name) { return must(resup_upload_set_name, name); }

    /** @brief The directory on the server, with `/` between its parts. Default: the server's own choice. */
    Upload &set_directory(const std::string &directory) { return must(resup_upload_set_directory, directory); }

    /** @brief The MIME type. Default: by the name's extension. */
    Upload &set_content_type(const std::string &type) { return must(resup_upload_set_content_type, type); }

    /** @brief A form field of the program's own, sent with every request. */
    Upload &set_field(const std::string &name, const std::string &value)
    {
        return must(resup_upload_set_field, name, value);
    }

    /**
     * @brief Whether and when the digest is computed. Default: while the file is sent.
     *
     * Digest::none with a named algorithm makes the run of a file fail at its start.
     */
    Upload &set_digest(Digest digest) { return must(resup_upload_set_digest, digest); }

    /** @brief The algorithm of the digest; with a named one the run fails where the server does not use it. */
    Upload &set_digest_algorithm(DigestAlgorithm algorithm)
    {
        return must(resup_upload_set_digest_algorithm, algorithm);
    }

    /**
     * @brief Whether the finished file is read back, and its digest compared, where the server tells none. Default: no.
     *
     * That is so by WebDAV, tus and the IETF's protocol. Another file ends the run with Errc::digest, and stays there.
     */
    Upload &set_read_back(bool read_back) { return must(resup_upload_set_read_back, read_back); }

    /** @brief The most connections that send parts of the file: 1 to 6, or 0, the default, for as many as help. */
    Upload &set_connections(std::uint32_t connections) { return must(resup_upload_set_connections, connections); }

    /**
     * @brief Presigned URLs of S3 and its likes, to which the parts of the file go in place of the client's URL.
     *
     * A JSON object: {"part_size": 8388608, "parts": ["https://...", ...], "complete": "https://..."}; docs/OTHER-SERVERS.md
     * has its keys. The URLs are secrets, and get nothing of the client's login.
     */
    Upload &set_parts(const std::string &parts) { return must(resup_upload_set_parts, parts); }

    /**
     * @brief A file that spares a later run reading again what the server has. Default: none.
     *
     * In a protocol in which only the upload's URL finds it, such as tus, another process begins anew without this file. Only
     * its owner may read it.
     */
    Upload &set_state_file(const std::filesystem::path &path)
    {
        return must(RESUP_NATIVE(resup_upload_set_state_file), path);
    }

    /** @brief The most file bytes in one request; or RESUP_SEGMENT_UNLIMITED (the default), RESUP_SEGMENT_AUTOMATIC. */
    Upload &set_segment_size(std::uint64_t bytes) { return must(resup_upload_set_segment_size, bytes); }

    /** @brief File bytes per second, for every thread and at once, also during a run. 0, the default, for no limit. */
    Upload &set_rate_limit(std::uint64_t bytes_per_second)
    {
        return must(resup_upload_set_rate_limit, bytes_per_second);
    }

    /** @brief Registers the progress function, in place of an earlier one; empty for none. */
    Upload &on_progress(OnProgress function) { return must(detail::register_progress(get(), std::move(function))); }

    /** @brief Registers the state function, in place of an earlier one; empty for none. */
    Upload &on_state(OnState function) { return must(detail::register_state(get(), std::move(function))); }

    /** @brief Registers the completion function, in place of an earlier one; empty for none. */
    Upload &on_complete(OnComplete function) { return must(detail::register_complete(get(), std::move(function))); }
    /** @} */

    /**
     * @brief Uploads, and returns when the server has confirmed the whole file.
     * @throws Error  any failure; Errc::cancelled after cancel()
     * @throws        what a callback threw
     */
    void run() { detail::run_or_throw(handle_); }

#ifdef __cpp_lib_jthread
    /** @brief As run(); a request to stop cancels it, also one that was made before. */
    void run(const std::stop_token &token) { detail::run_or_throw(handle_, token); }
#endif

#if RESUP_HAS_FUTURE
    /**
     * @brief Runs on a thread of its own; callbacks are called there. With gcc for Windows it needs the posix thread
     * model, since the other, win32, has no std::future; start() and wait() do without.
     * @return throws from get() what run() would. Its destructor waits for the end. The upload may be moved meanwhile.
     */
    std::future<void> run_async()
    {
        // The handle is moved on, so that the future shares nothing when the run has ended.
        return std::async(std::launch::async,
                          [handle = handle_]() mutable { detail::run_or_throw(std::move(handle)); });
    }
#else
    template <bool has_future = false> void run_async()
    {
        static_assert(has_future, "gcc's thread model win32 has no std::future: take the model posix "
                                  "(x86_64-w64-mingw32-g++-posix), or start() and wait() in place of run_async()");
    }
#endif

    /**
     * @brief Takes the upload back: the server drops what it has of an unfinished file, and a later run begins anew.
     * Returns at the end; what the server does not have is a success, too. States and log lines are told as in a run.
     * @throws Error  Errc::refused when the file is complete or the server takes none back; Errc::state during a run,
     *                and when nothing tells the upload's URL (tus); else as run()
     * @throws        what a callback threw
     */
    void discard() { detail::discard_or_throw(handle_); }

    /** @brief Starts it and returns at once; wait() calls the callbacks for what happens. */
    void start() { must(set(resup_upload_start)); }

    /**
     * @brief Waits for the end of an upload that was started, and calls the callbacks for what has happened since.
     * @param time  the most; 0 does not wait, and less than 0 is as long as it takes
     * @return whether it is complete; false when it goes on
     * @throws Error  as run()
     */
    bool wait(std::chrono::milliseconds time = std::chrono::milliseconds(-1))
    {
        detail::Scope scope(handle_);
        std::error_code error;
        const bool complete = detail::wait(scope, time, error);
        detail::conclude(scope, error);
        return complete;
    }
#endif

    /** @name Settings, without exceptions
     * @{ */

    /** @brief As the overload that throws; sets `error` or clears it. error_message() tells more. */
    void set_name(const std::string &name, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_name, name);
    }
    void set_directory(const std::string &directory, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_directory, directory);
    }
    void set_content_type(const std::string &type, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_content_type, type);
    }
    void set_field(const std::string &name, const std::string &value, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_field, name, value);
    }
    void set_digest(Digest digest, std::error_code &error) noexcept { error = set(resup_upload_set_digest, digest); }
    void set_digest_algorithm(DigestAlgorithm algorithm, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_digest_algorithm, algorithm);
    }
    void set_read_back(bool read_back, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_read_back, read_back);
    }
    void set_connections(std::uint32_t connections, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_connections, connections);
    }
    void set_parts(const std::string &parts, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_parts, parts);
    }
    void set_state_file(const std::filesystem::path &path, std::error_code &error) noexcept
    {
        error = set(RESUP_NATIVE(resup_upload_set_state_file), path);
    }
    void set_segment_size(std::uint64_t bytes, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_segment_size, bytes);
    }
    void set_rate_limit(std::uint64_t bytes_per_second, std::error_code &error) noexcept
    {
        error = set(resup_upload_set_rate_limit, bytes_per_second);
    }
    void on_progress(OnProgress function, std::error_code &error)
    {
        error = detail::register_progress(get(), std::move(function));
    }
    void on_state(OnState function, std::error_code &error)
    {
        error = detail::register_state(get(), std::move(function));
    }
    void on_complete(OnComplete function, std::error_code &error)
    {
        error = detail::register_complete(get(), std::move(function));
    }
    /** @} */

    /** @name Running, without exceptions
     * Each sets `error` or clears it; error_message() tells more. An exception of a callback cancels and is lost; under
     * -fno-exceptions a callback calls cancel().
     * @{ */

    /** @brief Uploads, and returns when the server has confirmed the whole file, or with an error. */
    void run(std::error_code &error) noexcept { error = detail::run(detail::Scope(handle_)); }

#ifdef __cpp_lib_jthread
    /** @brief The same; a request to stop cancels it, also one that was made before. */
    void run(const std::stop_token &token, std::error_code &error) noexcept
    {
        error = detail::run(detail::Scope(handle_), token);
    }
#endif

    /** @brief Takes the upload back, and returns at the end: as the overload that throws. */
    void discard(std::error_code &error) noexcept { error = detail::discard(detail::Scope(handle_)); }

    /** @brief Starts it and returns at once. */
    void start(std::error_code &error) noexcept { error = set(resup_upload_start); }

    /**
     * @brief Waits for the end of an upload that was started, and calls the callbacks for what has happened since.
     * @param time   the most; 0 does not wait, and less than 0 is as long as it takes
     * @param error  set when it has failed, clear when it is complete or goes on
     * @return whether it is complete
     */
    bool wait(std::chrono::milliseconds time, std::error_code &error) noexcept
    {
        return detail::wait(detail::Scope(handle_), time, error);
    }
    /** @} */

  private:
    static Upload from_stream(const Client &client, const std::string &name, std::unique_ptr<std::istream> stream,
                              resup_seek_callback seek, resup_size_callback size, std::error_code &error)
    {
        error = Errc::argument;
        if (!detail::fits(name))
            return Upload();
        resup_upload *handle = nullptr;
        auto *user_data = new detail::Stream{std::move(stream)};
        error = detail::call(resup_upload_new_stream, client.get(), name, detail::Stream::read, seek, size, user_data,
                             detail::destroy<detail::Stream>, &handle);
        return Upload(handle);
    }

    explicit Upload(resup_upload *handle) { handle_ = detail::own(handle); }

    template <class... Parameters, class... Arguments>
    std::error_code set(resup_status (*setter)(resup_upload *, Parameters...), const Arguments &...arguments) noexcept
    {
        return detail::call(setter, get(), arguments...);
    }

#if RESUP_HAS_EXCEPTIONS
    template <class... Parameters, class... Arguments>
    Upload &must(resup_status (*setter)(resup_upload *, Parameters...), const Arguments &...arguments)
    {
        if (const std::error_code error = set(setter, arguments...))
            detail::fail(get(), error, detail::faults(arguments...));
        return *this;
    }

    Upload &must(std::error_code error)
    {
        if (error)
            detail::fail(get(), error);
        return *this;
    }

    static void check(const Client &client, std::error_code error, const std::string &fault = "")
    {
        if (error)
            throw Error(error, {fault.empty() ? last_error_message(client.get()) : fault, {}, 0, false});
    }
#endif
};

} // namespace resup

#endif
