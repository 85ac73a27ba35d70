/**
 * @file remote.hpp
 * @brief What every thread may do to an upload at any time.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_REMOTE_HPP
#define RESUP_REMOTE_HPP

#include <resup/callback.hpp>
#include <resup/convert.hpp>
#include <resup/settings.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace resup {

/** @brief What an upload is doing. */
enum class State : std::int32_t {
    ready = RESUP_STATE_READY,         ///< Not started.
    hashing = RESUP_STATE_HASHING,     ///< Reading what the server already has, for the digest.
    locating = RESUP_STATE_LOCATING,   ///< Asking the server what it has.
    sending = RESUP_STATE_SENDING,     ///< Sending.
    verifying = RESUP_STATE_VERIFYING, ///< All bytes are handed to the network; the server has to confirm them.
    waiting = RESUP_STATE_WAITING,     ///< Waiting to try again; Upload::retry_in tells how long.
    paused = RESUP_STATE_PAUSED,       ///< Paused by the program.
    complete = RESUP_STATE_COMPLETE,   ///< The server has confirmed the whole file.
    failed = RESUP_STATE_FAILED,       ///< Ended with an error.
    cancelled = RESUP_STATE_CANCELLED  ///< Ended by cancel(), or by a callback that threw.
};

/**
 * @brief The part of an Upload that every thread may use at any time, also callbacks: cancel, pause, numbers, texts.
 *
 * Every Upload is a Remote.
 *
 * @code
 * void show(const resup::Remote &upload)
 * {
 *     std::cout << upload.position() << " of " << upload.size() << ", " << upload.rate() << " bytes per second\n";
 * }
 * @endcode
 */
class Remote {
  public:
    /** @brief Whether this object holds an upload; false after it was moved from. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /** @brief The C API's handle, still owned by this object. */
    resup_upload *get() const noexcept { return handle_.get(); }

    /**
     * @brief Ends the run, which returns within 100 ms; the next run goes on from what the server has.
     *
     * Before the first run it ends the first run; between two runs it does nothing.
     */
    void cancel() noexcept { resup_upload_cancel(get()); }

    /** @brief Closes the connection and waits for resume(). The server keeps what it has. Returns at once. */
    void pause() noexcept { resup_upload_pause(get()); }

    /** @brief Goes on after pause(), from what the server has then. Returns at once. */
    void resume() noexcept { resup_upload_resume(get()); }

    /** @brief What it is doing. */
    State state() const noexcept { return static_cast<State>(resup_upload_state(get())); }

    /** @brief Bytes in the whole file; 0 before the first run has opened it. */
    std::uint64_t size() const noexcept { return resup_upload_size(get()); }

    /** @brief Bytes that the server has confirmed to hold, from the start of the file. */
    std::uint64_t offset() const noexcept { return resup_upload_offset(get()); }

    /** @brief The confirmed bytes and those handed to the network since: what a progress bar shows. */
    std::uint64_t position() const noexcept { return resup_upload_position(get()); }

    /** @brief File bytes handed to the network in this run. */
    std::uint64_t bytes_sent() const noexcept { return resup_upload_bytes_sent(get()); }

    /** @brief File bytes that this run did not have to send. */
    std::uint64_t bytes_skipped() const noexcept { return resup_upload_bytes_skipped(get()); }

    /** @brief Bytes per second over the last seconds; 0 while nothing is being sent. */
    std::uint64_t rate() const noexcept { return resup_upload_rate(get()); }

    /** @brief Time left to the end at the present rate, where that can be told. */
    std::optional<std::chrono::milliseconds> time_left() const noexcept
    {
        const std::uint32_t left = resup_upload_time_left(get());
        if (left == RESUP_FOREVER)
            return std::nullopt;
        return std::chrono::milliseconds(left);
    }

    /** @brief How often this run began to ask the server for its offset. */
    std::uint32_t attempts() const noexcept { return resup_upload_attempts(get()); }

    /** @brief In State::waiting, the time until the next attempt; else 0. */
    std::chrono::milliseconds retry_in() const noexcept
    {
        return std::chrono::milliseconds(resup_upload_retry_in(get()));
    }

    /** @brief The HTTP status of the server's last answer in this run; 0 when there was none. */
    int http_status() const noexcept { return resup_upload_http_status(get()); }

    /** @brief Whether running again, later and unchanged, may succeed where the last run failed. */
    bool is_retryable() const noexcept { return resup_upload_is_retryable(get()) != 0; }

    /** @brief The protocol or dialect that the server has answered in, such as "tus" or "plain". */
    std::optional<std::string> protocol() const { return detail::from_c(resup_upload_protocol(get())); }

    /** @brief The server's own key of the upload. */
    std::optional<std::string> id() const { return detail::from_c(resup_upload_id(get())); }

    /** @brief Where the finished file is to be found, in the server's words. */
    std::optional<std::string> location() const { return detail::from_c(resup_upload_location(get())); }

    /** @brief The digest's algorithm; DigestAlgorithm::automatic before the server has agreed to one. */
    DigestAlgorithm digest_algorithm() const noexcept
    {
        return static_cast<DigestAlgorithm>(resup_upload_digest_algorithm(get()));
    }

    /** @brief The digest of the whole file in lower-case hex, once it is complete and if it was read. */
    std::optional<std::string> digest() const { return detail::from_c(resup_upload_digest(get())); }

    /** @brief digest(), where that is an MD5. */
    std::optional<std::string> md5() const { return detail::from_c(resup_upload_md5(get())); }

    /** @brief The server's last message for a person. */
    std::optional<std::string> server_message() const { return detail::from_c(resup_upload_server_message(get())); }

    /** @brief The start of the body of the server's last refusal. */
    std::optional<std::string> server_excerpt() const { return detail::from_c(resup_upload_server_excerpt(get())); }

    /**
     * @brief What went wrong in the last call that failed, and what to do about it; empty when nothing did.
     *
     * During a run: why the last attempt failed, until the server answers again. In State::waiting it is why it waits.
     */
    std::string error_message() const { return detail::from_c(resup_upload_error_message(get())).value_or(""); }

  protected:
    /// @cond internal
    Remote() noexcept = default;
    Remote(Remote &&) noexcept = default;
    Remote &operator=(Remote &&) noexcept = default;
    ~Remote() = default;

    /// The C API's handle; each run that is under way shares it.
    detail::Handle handle_;
    /// @endcond
};

} // namespace resup

#endif
