/**
 * @file client.hpp
 * @brief A server, and what all uploads to it share.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_CLIENT_HPP
#define RESUP_CLIENT_HPP

#include <resup/callback.hpp>
#include <resup/error.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace resup {

/** @brief How important a line of the log is. */
enum class LogLevel : std::int32_t {
    error = RESUP_LOG_ERROR, ///< An upload has failed.
    warn = RESUP_LOG_WARN,   ///< Something unusual that the upload gets over.
    info = RESUP_LOG_INFO,   ///< The course of an upload.
    debug = RESUP_LOG_DEBUG  ///< Every step.
};

/** @brief How the server is asked for its offset. */
enum class LocateMethod : std::int32_t {
    post = RESUP_LOCATE_POST, ///< By POST, which no cache answers.
    get = RESUP_LOCATE_GET    ///< By GET, with the fields in the query.
};

/** @brief How forms are signed. */
enum class SigningAlgorithm : std::int32_t {
    hmac_sha256 = RESUP_SIGNING_HMAC_SHA256, ///< HMAC-SHA-256.
    hmac_md5 = RESUP_SIGNING_HMAC_MD5        ///< HMAC-MD5, for old servers that know no better.
};

/** @brief Whose root certificates are trusted. */
enum class Trust : std::int32_t {
    system = RESUP_TRUST_SYSTEM,  ///< The operating system's.
    bundled = RESUP_TRUST_BUNDLED ///< Mozilla's, as they were when the library was built.
};

/** @brief How file names are written into forms. */
enum class FilenameStyle : std::int32_t {
    whatwg = RESUP_FILENAME_WHATWG,  ///< As browsers do.
    rfc8187 = RESUP_FILENAME_RFC8187 ///< A second time as `filename*`.
};

/// @cond internal
namespace detail {

#if RESUP_HAS_EXCEPTIONS
/// A text as C takes it, which ends at a NUL: one inside would cut it off.
inline const char *text(const std::string &text)
{
    if (text.find('\0') != std::string::npos)
        throw Error(Errc::argument, {"a text has a NUL in it, at which it would end", {}, 0, false});
    return text.c_str();
}

/// Milliseconds as C takes them: of what is too much, the most.
inline std::uint32_t milliseconds(std::chrono::milliseconds time)
{
    if (time.count() < 0)
        throw Error(Errc::argument, {"a time of " + std::to_string(time.count()) + " ms is less than none", {}, 0, false});
    return time.count() > INT32_MAX ? static_cast<std::uint32_t>(INT32_MAX)
                                    : static_cast<std::uint32_t>(time.count());
}
#endif

#ifdef _WIN32
static_assert(sizeof(wchar_t) == sizeof(std::uint16_t), "paths are UTF-16 on Windows");

inline const std::uint16_t *native(const std::filesystem::path &path) noexcept
{
    return reinterpret_cast<const std::uint16_t *>(path.c_str());
}
#define RESUP_NATIVE(function) function##_utf16
#else
inline const char *native(const std::filesystem::path &path) noexcept { return path.c_str(); }
#define RESUP_NATIVE(function) function
#endif

} // namespace detail
/// @endcond

/**
 * @brief A server, and what all uploads to it share: connections, limits, logins, proxies.
 *
 * Moved, not copied. Settings count from the next run of each upload on, and return the client, so that they can be
 * chained. Texts are UTF-8. All of it may be used from any thread at any time.
 *
 * @code
 * resup::Client client("https://files.example/upload");
 * client.set_login_form("https://files.example/login")
 *     .set_login_field("user", "joe")
 *     .set_login_field("password", password)
 *     .set_proxy("http://proxy.example:3128")
 *     .set_retry_limit(20)
 *     .on_log(resup::LogLevel::info, [](resup::LogLevel, std::string_view line) { std::clog << line << '\n'; });
 * resup::Upload(client, "video.mp4").run();
 * @endcode
 *
 * A setting that cannot be used throws Error with Errc::argument, whose message says why.
 */
class Client {
  public:
    /** @brief Told each line of the log; Client::on_log says where. */
    using Log = std::function<void(LogLevel, std::string_view)>;

    /** @brief An empty client, to be moved to. */
    Client() noexcept = default;

    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /** @brief Takes the other one's server over; that one is empty then. */
    Client(Client &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

    /** @brief As the move constructor; what was held is let go. */
    Client &operator=(Client &&other) noexcept
    {
        Client taken(std::move(other));
        std::swap(handle_, taken.handle_);
        return *this;
    }

    /** @brief Lets it go. Uploads that were made with it keep what they need of it and go on. */
    ~Client() { resup_client_free(handle_); }

    /**
     * @brief A client, without exceptions.
     * @param endpoint  the server's upload address, http or https
     * @param error     set to Errc::url, or cleared; last_error_message() tells more
     * @return the client; an empty one after a failure
     */
    static Client create(const std::string &endpoint, std::error_code &error)
    {
        Client client;
        error = static_cast<Errc>(resup_client_new(endpoint.c_str(), &client.handle_));
        return client;
    }

    /** @brief Whether there is one, so that it was not moved from. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /** @brief The C API's handle, still owned by this object. */
    resup_client *get() const noexcept { return handle_; }

    /**
     * @brief Any setting of the C API, without exceptions.
     *
     * @code
     * if (std::error_code error = client.set(resup_client_set_proxy, "socks5h://10.0.0.1"))
     *     complain(resup::last_error_message(client.get()));
     * @endcode
     *
     * @param setter     a function `resup_client_set_…`
     * @param arguments  what it takes after the client
     * @return the status; clear when all went well
     */
    template <class... Wanted, class... Given>
    std::error_code set(resup_status (*setter)(resup_client *, Wanted...), Given &&...arguments) noexcept
    {
        return static_cast<Errc>(setter(handle_, std::forward<Given>(arguments)...));
    }

#if RESUP_HAS_EXCEPTIONS
    /**
     * @brief A client for a server. Nothing is sent yet.
     * @param endpoint  the server's upload address, http or https
     * @throws Error    Errc::url
     */
    explicit Client(const std::string &endpoint)
    {
        std::error_code error;
        *this = create(detail::text(endpoint), error);
        if (error)
            throw Error(error, {last_error_message(), {}, 0, false});
    }

    /** @brief The user name that the server is told with each file. Default: none. */
    Client &set_user(const std::string &user) { return must(set(resup_client_set_user, detail::text(user))); }

    /** @brief The User-Agent header, ASCII. Default: "resup/" and the version. */
    Client &set_user_agent(const std::string &agent) { return must(set(resup_client_set_user_agent, detail::text(agent))); }

    /** @brief How the server is asked for its offset. Default: by POST. */
    Client &set_locate_method(LocateMethod method)
    {
        return must(set(resup_client_set_locate_method, static_cast<std::int32_t>(method)));
    }

    /** @brief The most time for a name lookup, and for connecting, each. Default: 30 s. */
    Client &set_connect_timeout(std::chrono::milliseconds time)
    {
        return must(set(resup_client_set_connect_timeout, detail::milliseconds(time)));
    }

    /** @brief The most time from the end of a request to its answer. Default: 120 s. */
    Client &set_response_timeout(std::chrono::milliseconds time)
    {
        return must(set(resup_client_set_response_timeout, detail::milliseconds(time)));
    }

    /** @brief The most time for which the network may take nothing. Default: 60 s. */
    Client &set_stall_timeout(std::chrono::milliseconds time)
    {
        return must(set(resup_client_set_stall_timeout, detail::milliseconds(time)));
    }

    /** @brief File bytes per second of all uploads together, at once; 0, the default, for no limit. */
    Client &set_rate_limit(std::uint64_t bytes_per_second)
    {
        return must(set(resup_client_set_rate_limit, bytes_per_second));
    }

    /** @brief How many attempts in a row may fail without a byte more having arrived. Default: 8. */
    Client &set_retry_limit(std::uint32_t limit) { return must(set(resup_client_set_retry_limit, limit)); }

    /** @brief For how long attempts may fail without a byte more having arrived; 0, the default: no limit. */
    Client &set_retry_timeout(std::chrono::milliseconds time)
    {
        return must(set(resup_client_set_retry_timeout, detail::milliseconds(time)));
    }

    /** @brief Waits between attempts: random, up to a bound that doubles from `first` to `longest`. Default: 500 ms, 30 s. */
    Client &set_retry_backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
    {
        return must(set(resup_client_set_retry_backoff, detail::milliseconds(first), detail::milliseconds(longest)));
    }

    /** @brief Logs in by a form before the first request, and again when the session ends; cookies are kept. */
    Client &set_login_form(const std::string &url) { return must(set(resup_client_set_login_form, detail::text(url))); }

    /** @brief A field of the login form. */
    Client &set_login_field(const std::string &name, const std::string &value)
    {
        return must(set(resup_client_set_login_field, detail::text(name), detail::text(value)));
    }

    /** @brief Basic authorization with every request. */
    Client &set_basic_auth(const std::string &user, const std::string &password)
    {
        return must(set(resup_client_set_basic_auth, detail::text(user), detail::text(password)));
    }

    /** @brief A bearer token with every request. */
    Client &set_bearer_token(const std::string &token)
    {
        return must(set(resup_client_set_bearer_token, detail::text(token)));
    }

    /** @brief A header of the program's own with every request. */
    Client &set_header(const std::string &name, const std::string &value)
    {
        return must(set(resup_client_set_header, detail::text(name), detail::text(value)));
    }

    /** @brief A cookie of the program's own with every request. */
    Client &set_cookie(const std::string &name, const std::string &value)
    {
        return must(set(resup_client_set_cookie, detail::text(name), detail::text(value)));
    }

    /** @brief Signs every form with a secret, any bytes. */
    Client &set_signing_secret(std::string_view secret)
    {
        auto *bytes = reinterpret_cast<const std::uint8_t *>(secret.data());
        return must(set(resup_client_set_signing_secret, bytes, secret.size()));
    }

    /** @brief How forms are signed. Default: HMAC-SHA-256. */
    Client &set_signing_algorithm(SigningAlgorithm algorithm)
    {
        return must(set(resup_client_set_signing_algorithm, static_cast<std::int32_t>(algorithm)));
    }

    /** @brief "none", "system" (the default) or `scheme://user:password@host:port`: http, socks4, socks4a, socks5, socks5h. */
    Client &set_proxy(const std::string &proxy) { return must(set(resup_client_set_proxy, detail::text(proxy))); }

    /** @brief Hosts that are reached without a proxy: domains, addresses, CIDR blocks, between commas. */
    Client &set_no_proxy(const std::string &list) { return must(set(resup_client_set_no_proxy, detail::text(list))); }

    /** @brief Whose root certificates are trusted while no CA was given. Default: the system's. */
    Client &set_trust(Trust trust) { return must(set(resup_client_set_trust, static_cast<std::int32_t>(trust))); }

    /** @brief Trusts the CAs in a PEM file, and no others but those of further calls. */
    Client &set_ca_file(const std::filesystem::path &path)
    {
        return must(set(RESUP_NATIVE(resup_client_set_ca_file), detail::native(path)));
    }

    /** @brief Trusts the CAs in a PEM text, and no others but those of further calls. */
    Client &set_ca_pem(const std::string &pem) { return must(set(resup_client_set_ca_pem, detail::text(pem))); }

    /** @brief The certificate that this side shows: PEM files of the chain and of the key. */
    Client &set_client_certificate(const std::filesystem::path &certificate, const std::filesystem::path &key)
    {
        auto *setter = RESUP_NATIVE(resup_client_set_client_certificate);
        return must(set(setter, detail::native(certificate), detail::native(key)));
    }

    /** @brief Whether the server's certificate is verified. Without, everything can be read and changed on the way. */
    Client &set_tls_verify(bool verify) { return must(set(resup_client_set_tls_verify, verify ? 1 : 0)); }

    /** @brief How file names are written into forms. Default: as browsers do. */
    Client &set_filename_style(FilenameStyle style)
    {
        return must(set(resup_client_set_filename_style, static_cast<std::int32_t>(style)));
    }

    /**
     * @brief Registers the log's function, in place of an earlier one.
     * @param level  the least important level that is wanted
     * @param log    called on the threads that are inside run() or wait(), so perhaps on several at once; empty for none.
     *               Secrets and file contents are never logged.
     */
    Client &on_log(LogLevel level, Log log) { return must(try_on_log(level, std::move(log))); }
#endif

    /** @brief As on_log, without exceptions. */
    std::error_code try_on_log(LogLevel level, Log log)
    {
        const auto number = static_cast<std::int32_t>(level);
        if (!log)
            return static_cast<Errc>(resup_client_on_log(handle_, number, nullptr, nullptr, nullptr));
        auto *kept = new Log(std::move(log));
        return static_cast<Errc>(resup_client_on_log(handle_, number, logged, kept, detail::destroy<Log>));
    }

  private:
    static std::int32_t logged(std::int32_t level, const char *line, void *user_data) noexcept
    {
        return detail::guarded([&] { (*static_cast<Log *>(user_data))(static_cast<LogLevel>(level), line); });
    }

#if RESUP_HAS_EXCEPTIONS
    Client &must(std::error_code error)
    {
        if (error)
            throw Error(error, {last_error_message(handle_), {}, 0, false});
        return *this;
    }
#endif

    resup_client *handle_ = nullptr;
};

} // namespace resup

#endif
