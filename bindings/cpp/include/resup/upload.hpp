/**
 * @file upload.hpp
 * @brief One file's job.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_UPLOAD_HPP
#define RESUP_UPLOAD_HPP

#include <resup/callback.hpp>
#include <resup/client.hpp>
#include <resup/error.hpp>
#include <resup/remote.hpp>
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
#include <thread>
#if __cplusplus >= 202002L && __has_include(<stop_token>)
#include <stop_token>
#endif

namespace resup {

/** @brief Whether and when the MD5 of the file is computed. */
enum class Digest : std::int32_t {
    none = RESUP_DIGEST_NONE,         ///< Not at all: nothing is compared then.
    md5 = RESUP_DIGEST_MD5,           ///< While the file is sent. The default.
    md5_first = RESUP_DIGEST_MD5_FIRST ///< Before: a server that has the content already gets no byte.
};

/** @brief How far an upload is. */
struct Progress {
    std::uint64_t position; ///< Bytes of the file that the server has or that are on their way.
    std::uint64_t size;     ///< Bytes in the whole file.
};

/**
 * @brief One file's job. Moved, not copied; destroyed during a run, it is cancelled.
 *
 * To wait for it, call run():
 *
 * @code
 * resup::Upload upload(client, "report.pdf");
 * upload.set_directory("2026/may").set_field("ticket", "4711");
 * upload.run();       // breaks are waited out and gone on from; throws resup::Error when it gives up
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
 * After a failure it may be run again; it goes on where the server is.
 */
class Upload : public Remote {
  public:
    /** @brief Told about ten times a second while the numbers change, and a last time before the end. */
    using OnProgress = std::function<void(const Progress &)>;
    /** @brief Told each new state. */
    using OnState = std::function<void(State)>;
    /** @brief Told once at the end of every run, as the last callback; the code is clear when it is complete. */
    using OnComplete = std::function<void(std::error_code)>;

    /** @brief An empty upload, to be moved to. */
    Upload() noexcept = default;

    Upload(const Upload &) = delete;
    Upload &operator=(const Upload &) = delete;

    /** @brief Takes the other one's job over, also while it is under way; that one is empty then. */
    Upload(Upload &&other) noexcept = default;

    /** @brief As the move constructor; what was held is let go. */
    Upload &operator=(Upload &&other) noexcept
    {
        Upload taken(std::move(other));
        handle_.swap(taken.handle_);
        return *this;
    }

    /**
     * @brief Cancels it where it is under way, and lets it go. What the server has is kept there.
     *
     * Waits for a run() on another thread to return, callbacks included. Within its own callback it does not: that
     * run lets it go when it ends.
     */
    ~Upload()
    {
        if (!handle_)
            return;
        cancel();
        if (detail::Scope::within(handle_))
            return;
        while (handle_.use_count() > 1) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            cancel(); // Once more, for a run that has begun only now.
        }
    }

    /**
     * @name Making one, without exceptions
     * Nothing is sent yet. After a failure the upload is empty, and `last_error_message(client.get())` tells more.
     * @{
     */

    /** @brief Of a file, under its own name. */
    static Upload create(const Client &client, const std::filesystem::path &path, std::error_code &error)
    {
        return made(error, [&](resup_upload **out) {
            return RESUP_NATIVE(resup_upload_new_file)(client.get(), detail::native(path), out);
        });
    }

    /** @brief Of bytes in memory, which are copied. */
    static Upload create_from_memory(const Client &client, const std::string &name, const void *data, std::size_t size,
                                     std::error_code &error)
    {
        return made(error, [&](resup_upload **out) {
            return resup_upload_new_memory(client.get(), data, size, name.c_str(), out);
        });
    }

    /** @brief Of a stream that can seek, open in binary mode; read only inside run() and wait(), and twice. */
    static Upload create_from_stream(const Client &client, const std::string &name,
                                     std::unique_ptr<std::istream> stream, std::error_code &error)
    {
        auto *kept = new detail::Stream{std::move(stream)};
        return made(error, [&](resup_upload **out) {
            return resup_upload_new_stream(client.get(), name.c_str(), detail::Stream::read, detail::Stream::seek,
                                           detail::Stream::size, kept, detail::destroy<detail::Stream>, out);
        });
    }
    /** @} */

    /** @brief Any setting of the C API, without exceptions; as Client::set. */
    template <class... Wanted, class... Given>
    std::error_code set(resup_status (*setter)(resup_upload *, Wanted...), Given &&...arguments) noexcept
    {
        return static_cast<Errc>(setter(get(), std::forward<Given>(arguments)...));
    }

#if RESUP_HAS_EXCEPTIONS
    /**
     * @brief An upload of a file, under its own name. Nothing is sent yet, and the file is not kept open.
     * @throws Error  Errc::source_not_found, source_denied, source_not_a_file, source_io
     */
    Upload(const Client &client, const std::filesystem::path &path)
    {
        std::error_code error;
        *this = create(client, path, error);
        check(client, error);
    }

    /** @brief An upload of bytes in memory, which are copied. */
    static Upload from_memory(const Client &client, const std::string &name, const void *data, std::size_t size)
    {
        std::error_code error;
        Upload upload = create_from_memory(client, detail::text(name), data, size, error);
        check(client, error);
        return upload;
    }

    /** @brief An upload of a text or other bytes, which are copied. */
    static Upload from_memory(const Client &client, const std::string &name, std::string_view bytes)
    {
        return from_memory(client, name, bytes.data(), bytes.size());
    }

    /**
     * @brief An upload of a stream that can seek, open in binary mode.
     *
     * It is read only inside run() and wait(), and twice: first for its MD5, since nothing else tells two versions of
     * it apart. An exception that it throws ends the upload and is thrown again.
     */
    static Upload from_stream(const Client &client, const std::string &name, std::unique_ptr<std::istream> stream)
    {
        std::error_code error;
        Upload upload = create_from_stream(client, detail::text(name), std::move(stream), error);
        check(client, error);
        return upload;
    }

    /** @brief The file name that the server is told. Default: the file's own. */
    Upload &set_name(const std::string &name) { return must(set(resup_upload_set_name, detail::text(name))); }

    /** @brief The directory on the server, separated by `/`. Default: the server's own choice. */
    Upload &set_directory(const std::string &directory)
    {
        return must(set(resup_upload_set_directory, detail::text(directory)));
    }

    /** @brief The MIME type. Default: by the name's extension. */
    Upload &set_content_type(const std::string &type) { return must(set(resup_upload_set_content_type, detail::text(type))); }

    /** @brief A form field of the program's own, sent with every request. */
    Upload &set_field(const std::string &name, const std::string &value)
    {
        return must(set(resup_upload_set_field, detail::text(name), detail::text(value)));
    }

    /** @brief Whether and when the MD5 is computed. Default: while the file is sent. */
    Upload &set_digest(Digest digest)
    {
        return must(set(resup_upload_set_digest, static_cast<std::int32_t>(digest)));
    }

    /** @brief A file with which a later run need not read again what the server has. Default: none. */
    Upload &set_state_file(const std::filesystem::path &path)
    {
        return must(set(RESUP_NATIVE(resup_upload_set_state_file), detail::native(path)));
    }

    /** @brief The most file bytes that one request carries, or RESUP_SEGMENT_UNLIMITED (the default) or _AUTOMATIC. */
    Upload &set_segment_size(std::uint64_t bytes) { return must(set(resup_upload_set_segment_size, bytes)); }

    /** @brief File bytes per second, at once; 0, the default, for no limit. Legal at any time. */
    Upload &set_rate_limit(std::uint64_t bytes_per_second)
    {
        return must(set(resup_upload_set_rate_limit, bytes_per_second));
    }

    /** @brief Registers the progress function, in place of an earlier one; empty for none. */
    Upload &on_progress(OnProgress function) { return must(try_on_progress(std::move(function))); }

    /** @brief Registers the state function, in place of an earlier one; empty for none. */
    Upload &on_state(OnState function) { return must(try_on_state(std::move(function))); }

    /** @brief Registers the completion function, in place of an earlier one; empty for none. */
    Upload &on_complete(OnComplete function) { return must(try_on_complete(std::move(function))); }

    /**
     * @brief Uploads, and returns when the server has confirmed the whole file.
     * @throws Error  any failure; Errc::cancelled after cancel()
     * @throws        what a callback threw
     */
    void run() { run(handle_); }

#ifdef __cpp_lib_jthread
    /** @brief As run(); a request to stop cancels it, also one that was made before. */
    void run(const std::stop_token &token) { run(handle_, token); }
#endif

    /**
     * @brief Runs on a thread of its own; callbacks are called there.
     * @return throws from get() what run() would. Its destructor waits for the end. The upload may be moved meanwhile.
     */
    std::future<void> run_async()
    {
        // Moved on: what the future keeps shares nothing.
        return std::async(std::launch::async, [handle = handle_]() mutable { run(std::move(handle)); });
    }

    /** @brief Starts it and returns at once; wait() delivers what happens. */
    void start() { must(set(resup_upload_start)); }

    /**
     * @brief Waits for the end of an upload that was started, and calls the callbacks for what has happened since.
     * @param time  the most; 0 only looks, and less than 0 is as long as it takes
     * @return whether it is complete; false when it goes on
     * @throws  as run()
     */
    bool wait(std::chrono::milliseconds time = std::chrono::milliseconds(-1)) { return wait(handle_, time); }
#endif

    /** @name The same without exceptions
     * The code is clear when all went well; error_message() tells more. What a callback throws cancels, and is lost;
     * under -fno-exceptions a callback calls cancel().
     * @{ */

    /** @brief As run. */
    std::error_code try_run() noexcept
    {
        detail::Scope scope(handle_);
        return static_cast<Errc>(resup_upload_run(scope.upload()));
    }

    /** @brief As start. */
    std::error_code try_start() noexcept { return set(resup_upload_start); }

    /** @brief As wait; Errc::pending when it goes on. */
    std::error_code try_wait(std::chrono::milliseconds time) noexcept
    {
        detail::Scope scope(handle_);
        return waited(scope.upload(), time);
    }

    /** @brief As on_progress. */
    std::error_code try_on_progress(OnProgress function)
    {
        return registered(resup_upload_on_progress, progressed, std::move(function));
    }

    /** @brief As on_state. */
    std::error_code try_on_state(OnState function)
    {
        return registered(resup_upload_on_state, entered, std::move(function));
    }

    /** @brief As on_complete. */
    std::error_code try_on_complete(OnComplete function)
    {
        return registered(resup_upload_on_complete, completed, std::move(function));
    }
    /** @} */

  private:
    template <class Make> static Upload made(std::error_code &error, Make &&make)
    {
        resup_upload *handle = nullptr;
        error = static_cast<Errc>(make(&handle));
        Upload upload;
        if (handle)
            upload.handle_.reset(handle, detail::Free());
        return upload;
    }

    static std::error_code waited(resup_upload *upload, std::chrono::milliseconds time) noexcept
    {
        const bool forever = time.count() < 0 || time.count() >= RESUP_FOREVER;
        const auto most = forever ? RESUP_FOREVER : static_cast<std::int32_t>(time.count());
        return static_cast<Errc>(resup_upload_wait(upload, static_cast<std::uint32_t>(most)));
    }

    template <class Register, class Callback, class Function>
    std::error_code registered(Register enroll, Callback callback, Function function)
    {
        if (!function)
            return static_cast<Errc>(enroll(get(), nullptr, nullptr, nullptr));
        auto *kept = new Function(std::move(function));
        return static_cast<Errc>(enroll(get(), callback, kept, detail::destroy<Function>));
    }

    static std::int32_t progressed(resup_upload *, std::uint64_t position, std::uint64_t size, void *function) noexcept
    {
        return detail::guarded([&] { (*static_cast<OnProgress *>(function))({position, size}); });
    }

    static std::int32_t entered(resup_upload *, std::int32_t state, void *function) noexcept
    {
        return detail::guarded([&] { (*static_cast<OnState *>(function))(static_cast<State>(state)); });
    }

    static std::int32_t completed(resup_upload *, resup_status status, void *function) noexcept
    {
        return detail::guarded([&] { (*static_cast<OnComplete *>(function))(static_cast<Errc>(status)); });
    }

#if RESUP_HAS_EXCEPTIONS
    // These keep the upload, so that a callback may destroy the object.
    static void run(detail::Handle handle)
    {
        detail::Scope scope(std::move(handle));
        const std::error_code error = static_cast<Errc>(resup_upload_run(scope.upload()));
        scope.rethrow();
        conclude(scope.upload(), error);
    }

#ifdef __cpp_lib_jthread
    static void run(detail::Handle handle, const std::stop_token &token)
    {
        detail::Scope scope(std::move(handle));
        // Started first: between two runs there is nothing that could be cancelled.
        check(scope.upload(), static_cast<Errc>(resup_upload_start(scope.upload())));
        std::stop_callback stop(token, [upload = scope.upload()] { resup_upload_cancel(upload); });
        const std::error_code error = waited(scope.upload(), std::chrono::milliseconds(-1));
        scope.rethrow();
        conclude(scope.upload(), error);
    }
#endif

    static bool wait(detail::Handle handle, std::chrono::milliseconds time)
    {
        detail::Scope scope(std::move(handle));
        const std::error_code error = waited(scope.upload(), time);
        scope.rethrow();
        if (error == Errc::pending)
            return false;
        conclude(scope.upload(), error);
        return true;
    }

    Upload &must(std::error_code error)
    {
        check(get(), error);
        return *this;
    }

    // A call that failed.
    static void check(resup_upload *handle, std::error_code error)
    {
        if (error)
            throw Error(error, {message(handle, error), {}, 0, false});
    }

    // A run that failed, of which there is more to tell.
    static void conclude(resup_upload *handle, std::error_code error)
    {
        if (!error)
            return;
        Error::Details details{message(handle, error), {}, 0, false};
        if (error != Errc::busy) {
            details.server_message = text(resup_upload_server_message(handle)).value_or("");
            details.http_status = resup_upload_http_status(handle);
            details.retryable = resup_upload_is_retryable(handle) != 0;
        }
        throw Error(error, std::move(details));
    }

    static std::string message(resup_upload *handle, std::error_code error)
    {
        const std::string kept = text(resup_upload_error_message(handle)).value_or("");
        return kept.empty() || error == Errc::busy ? last_error_message() : kept;
    }

    static void check(const Client &client, std::error_code error)
    {
        if (error)
            throw Error(error, {last_error_message(client ? client.get() : nullptr), {}, 0, false});
    }
#endif
};

} // namespace resup

#endif
