/**
 * @file client.hpp
 * @brief A server, and what all uploads to it share.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_CLIENT_HPP
#define RESUP_CLIENT_HPP

#include <resup/callback.hpp>
#include <resup/convert.hpp>
#include <resup/error.hpp>
#include <resup/settings.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace resup {

/**
 * @brief A server, and what all uploads to it share: connections, limits, logins, proxies.
 *
 * It can be moved, but not copied. A setting counts from the next run of each upload on. Texts are UTF-8. Every thread
 * may use all of it at any time.
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
 * A setting that cannot be used throws Error with Errc::argument (or url, utf8), whose message says why. Each setter
 * has an overload that sets a `std::error_code` instead:
 *
 * @code
 * std::error_code error;
 * client.set_proxy("socks5h://10.0.0.1", error);
 * if (error)
 *     complain(resup::last_error_message(client.get()));
 * @endcode
 */
class Client {
  public:
    /** @brief A function for each line of the log; see Client::on_log. */
    using Log = std::function<void(LogLevel, std::string_view)>;

    /** @brief An empty client, to be moved to. */
    Client() noexcept = default;

    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /** @brief Takes the other one's server; the other one is empty then. */
    Client(Client &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

    /** @brief As the move constructor; frees what this one held. */
    Client &operator=(Client &&other) noexcept
    {
        Client temporary(std::move(other));
        std::swap(handle_, temporary.handle_);
        return *this;
    }

    /** @brief Frees it. Uploads that were made with it keep what they need of it and go on. */
    ~Client() { resup_client_free(handle_); }

    /**
     * @brief Makes a client, without exceptions. Nothing is sent yet.
     * @param endpoint  the server's upload address, http or https
     * @param error     set to Errc::url, utf8 or argument, or cleared; after a failure the client is empty, and
     *                  last_error_message() tells more
     */
    Client(const std::string &endpoint, std::error_code &error) noexcept
    {
        error = Errc::argument;
        if (detail::fits(endpoint))
            error = static_cast<Errc>(resup_client_new(endpoint.c_str(), &handle_));
    }

    /** @brief Whether this object holds a client; false after it was moved from. */
    explicit operator bool() const noexcept { return handle_ != nullptr; }

    /** @brief The C API's handle, still owned by this object. */
    resup_client *get() const noexcept { return handle_; }

#if RESUP_HAS_EXCEPTIONS
    /**
     * @brief Makes a client. Nothing is sent yet.
     * @param endpoint  the server's upload address, http or https
     * @throws Error    Errc::url, utf8 or argument
     */
    explicit Client(const std::string &endpoint)
    {
        std::error_code error;
        *this = Client(endpoint, error);
        if (error)
            fail(error, detail::faults(endpoint));
    }

    /** @name Settings
     * They return the client, so that they can be chained, and throw Error.
     * @{ */

    /** @brief The user name that the server gets with each file. Default: none. */
    Client &set_user(const std::string &user) { return must(resup_client_set_user, user); }

    /** @brief The User-Agent header, ASCII. Default: "resup/" and the version. */
    Client &set_user_agent(const std::string &agent) { return must(resup_client_set_user_agent, agent); }

    /**
     * @brief The protocol that the server speaks. Default: Protocol::automatic.
     *
     * In another one than Protocol::form only the state file (Upload::set_state_file) tells another run
     * where its upload is, and a run with a signing secret or a digest by its name fails with Errc::argument.
     */
    Client &set_protocol(Protocol protocol) { return must(resup_client_set_protocol, protocol); }

    /**
     * @brief A dialect of forms, in place of a protocol: of both settings the last one counts.
     *
     * A preset's name, such as "plain" for one POST as browsers make it, or a JSON object; docs/DIALECTS.md has both.
     */
    Client &set_dialect(const std::string &dialect) { return must(resup_client_set_dialect, dialect); }

    /** @brief How the server is asked for its offset. Default: by POST. */
    Client &set_locate_method(LocateMethod method) { return must(resup_client_set_locate_method, method); }

    /** @brief Whether the request that creates an upload by tus may carry a whole file of up to 256 KiB, where the server
     * has creation-with-upload. If its response is lost, the file may be there twice. Default: no. */
    Client &set_creation_with_upload(bool allowed) { return must(resup_client_set_creation_with_upload, allowed); }

    /** @brief The most time for a name lookup, and for a connection, each; more than 0. Default: 30 s. */
    Client &set_connect_timeout(std::chrono::milliseconds time) { return must(resup_client_set_connect_timeout, time); }

    /** @brief The most time from the end of a request to its answer; more than 0. Default: 120 s. */
    Client &set_response_timeout(std::chrono::milliseconds time)
    {
        return must(resup_client_set_response_timeout, time);
    }

    /** @brief The most time for which the network may take nothing; more than 0. Default: 60 s. */
    Client &set_stall_timeout(std::chrono::milliseconds time) { return must(resup_client_set_stall_timeout, time); }

    /** @brief File bytes per second of all uploads together. Counts at once. 0, the default, for no limit. */
    Client &set_rate_limit(std::uint64_t bytes_per_second)
    {
        return must(resup_client_set_rate_limit, bytes_per_second);
    }

    /** @brief How many attempts in a row may fail while the server confirms no further byte. Default: 8. */
    Client &set_retry_limit(std::uint32_t limit) { return must(resup_client_set_retry_limit, limit); }

    /** @brief For how long attempts may fail while the server confirms no further byte. Default: 0, no limit. */
    Client &set_retry_timeout(std::chrono::milliseconds time) { return must(resup_client_set_retry_timeout, time); }

    /** @brief Waits between attempts: random, up to a bound that doubles from `first` (500 ms) to `longest` (30 s). */
    Client &set_retry_backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
    {
        return must(resup_client_set_retry_backoff, first, longest);
    }

    /** @brief Logs in by a form before the first request, and again when the session ends; cookies are kept. */
    Client &set_login_form(const std::string &url) { return must(resup_client_set_login_form, url); }

    /** @brief A field of the login form. Set the form first. */
    Client &set_login_field(const std::string &name, const std::string &value)
    {
        return must(resup_client_set_login_field, name, value);
    }

    /** @brief Basic authorization with every request. */
    Client &set_basic_auth(const std::string &user, const std::string &password)
    {
        return must(resup_client_set_basic_auth, user, password);
    }

    /** @brief A bearer token with every request. */
    Client &set_bearer_token(const std::string &token) { return must(resup_client_set_bearer_token, token); }

    /** @brief A header of the program's own with every request. */
    Client &set_header(const std::string &name, const std::string &value)
    {
        return must(resup_client_set_header, name, value);
    }

    /** @brief A cookie of the program's own with every request. */
    Client &set_cookie(const std::string &name, const std::string &value)
    {
        return must(resup_client_set_cookie, name, value);
    }

    /** @brief Signs every form with a secret, any bytes. */
    Client &set_signing_secret(std::string_view secret)
    {
        return must(resup_client_set_signing_secret, detail::bytes(secret), secret.size());
    }

    /** @brief How forms are signed. Default: HMAC-SHA-256. */
    Client &set_signing_algorithm(SigningAlgorithm algorithm)
    {
        return must(resup_client_set_signing_algorithm, algorithm);
    }

    /**
     * @brief The proxy: "none", "system" (the default) or `scheme://user:password@host:port`.
     *
     * Schemes are http, socks4, socks4a, socks5 and socks5h.
     */
    Client &set_proxy(const std::string &proxy) { return must(resup_client_set_proxy, proxy); }

    /** @brief Hosts that are reached without a proxy: domains, addresses, CIDR blocks, with commas between them. */
    Client &set_no_proxy(const std::string &list) { return must(resup_client_set_no_proxy, list); }

    /** @brief Whose root certificates are trusted while no CA is set. Default: the system's. */
    Client &set_trust(Trust trust) { return must(resup_client_set_trust, trust); }

    /** @brief Trusts the CAs in a file, PEM or DER, and no others but those of further calls. */
    Client &set_ca_file(const std::filesystem::path &path)
    {
        return must(RESUP_NATIVE(resup_client_set_ca_file), path);
    }

    /** @brief Trusts the CAs in a PEM text, and no others but those of further calls. */
    Client &set_ca_pem(const std::string &pem) { return must(resup_client_set_ca_pem, pem); }

    /** @brief The certificate that this side shows: files, PEM or DER, of the chain and of the key. */
    Client &set_client_certificate(const std::filesystem::path &certificate, const std::filesystem::path &key)
    {
        return must(RESUP_NATIVE(resup_client_set_client_certificate), certificate, key);
    }

    /** @brief Whether the server's certificate is verified. If not, anyone on the way can read and change all. */
    Client &set_tls_verify(bool verify) { return must(resup_client_set_tls_verify, verify); }

    /** @brief How file names are written into forms. Default: as browsers do. */
    Client &set_filename_style(FilenameStyle style) { return must(resup_client_set_filename_style, style); }

    /**
     * @brief Registers the function for the log, in place of an earlier one.
     * @param level  the least important level that is wanted
     * @param log    called on the threads that are inside run() or wait(), perhaps on several at once; empty for none.
     *               Secrets and file contents are never logged.
     */
    Client &on_log(LogLevel level, Log log)
    {
        std::error_code error;
        on_log(level, std::move(log), error);
        if (error)
            fail(error, "");
        return *this;
    }
    /** @} */
#endif

    /** @name Settings, without exceptions
     * @{ */

    /** @brief As the overload that throws; sets `error` or clears it. last_error_message(get()) tells more. */
    void set_user(const std::string &user, std::error_code &error) noexcept
    {
        error = set(resup_client_set_user, user);
    }
    void set_user_agent(const std::string &agent, std::error_code &error) noexcept
    {
        error = set(resup_client_set_user_agent, agent);
    }
    void set_protocol(Protocol protocol, std::error_code &error) noexcept
    {
        error = set(resup_client_set_protocol, protocol);
    }
    void set_dialect(const std::string &dialect, std::error_code &error) noexcept
    {
        error = set(resup_client_set_dialect, dialect);
    }
    void set_locate_method(LocateMethod method, std::error_code &error) noexcept
    {
        error = set(resup_client_set_locate_method, method);
    }
    void set_creation_with_upload(bool allowed, std::error_code &error) noexcept
    {
        error = set(resup_client_set_creation_with_upload, allowed);
    }
    void set_connect_timeout(std::chrono::milliseconds time, std::error_code &error) noexcept
    {
        error = set(resup_client_set_connect_timeout, time);
    }
    void set_response_timeout(std::chrono::milliseconds time, std::error_code &error) noexcept
    {
        error = set(resup_client_set_response_timeout, time);
    }
    void set_stall_timeout(std::chrono::milliseconds time, std::error_code &error) noexcept
    {
        error = set(resup_client_set_stall_timeout, time);
    }
    void set_rate_limit(std::uint64_t bytes_per_second, std::error_code &error) noexcept
    {
        error = set(resup_client_set_rate_limit, bytes_per_second);
    }
    void set_retry_limit(std::uint32_t limit, std::error_code &error) noexcept
    {
        error = set(resup_client_set_retry_limit, limit);
    }
    void set_retry_timeout(std::chrono::milliseconds time, std::error_code &error) noexcept
    {
        error = set(resup_client_set_retry_timeout, time);
    }
    void set_retry_backoff(std::chrono::milliseconds first, std::chrono::milliseconds longest,
                           std::error_code &error) noexcept
    {
        error = set(resup_client_set_retry_backoff, first, longest);
    }
    void set_login_form(const std::string &url, std::error_code &error) noexcept
    {
        error = set(resup_client_set_login_form, url);
    }
    void set_login_field(const std::string &name, const std::string &value, std::error_code &error) noexcept
    {
        error = set(resup_client_set_login_field, name, value);
    }
    void set_basic_auth(const std::string &user, const std::string &password, std::error_code &error) noexcept
    {
        error = set(resup_client_set_basic_auth, user, password);
    }
    void set_bearer_token(const std::string &token, std::error_code &error) noexcept
    {
        error = set(resup_client_set_bearer_token, token);
    }
    void set_header(const std::string &name, const std::string &value, std::error_code &error) noexcept
    {
        error = set(resup_client_set_header, name, value);
    }
    void set_cookie(const std::string &name, const std::string &value, std::error_code &error) noexcept
    {
        error = set(resup_client_set_cookie, name, value);
    }
    void set_signing_secret(std::string_view secret, std::error_code &error) noexcept
    {
        error = set(resup_client_set_signing_secret, detail::bytes(secret), secret.size());
    }
    void set_signing_algorithm(SigningAlgorithm algorithm, std::error_code &error) noexcept
    {
        error = set(resup_client_set_signing_algorithm, algorithm);
    }
    void set_proxy(const std::string &proxy, std::error_code &error) noexcept
    {
        error = set(resup_client_set_proxy, proxy);
    }
    void set_no_proxy(const std::string &list, std::error_code &error) noexcept
    {
        error = set(resup_client_set_no_proxy, list);
    }
    void set_trust(Trust trust, std::error_code &error) noexcept { error = set(resup_client_set_trust, trust); }
    void set_ca_file(const std::filesystem::path &path, std::error_code &error) noexcept
    {
        error = set(RESUP_NATIVE(resup_client_set_ca_file), path);
    }
    void set_ca_pem(const std::string &pem, std::error_code &error) noexcept
    {
        error = set(resup_client_set_ca_pem, pem);
    }
    void set_client_certificate(const std::filesystem::path &certificate, const std::filesystem::path &key,
                                std::error_code &error) noexcept
    {
        error = set(RESUP_NATIVE(resup_client_set_client_certificate), certificate, key);
    }
    void set_tls_verify(bool verify, std::error_code &error) noexcept
    {
        error = set(resup_client_set_tls_verify, verify);
    }
    void set_filename_style(FilenameStyle style, std::error_code &error) noexcept
    {
        error = set(resup_client_set_filename_style, style);
    }
    void on_log(LogLevel level, Log log, std::error_code &error)
    {
        const auto number = static_cast<std::int32_t>(level);
        if (!log) {
            error = set(resup_client_on_log, number, nullptr, nullptr, nullptr);
            return;
        }
        auto *user_data = new Log(std::move(log));
        error = set(resup_client_on_log, number, call_log, user_data, detail::destroy<Log>);
    }
    /** @} */

  private:
    template <class... Parameters, class... Arguments>
    std::error_code set(resup_status (*setter)(resup_client *, Parameters...), const Arguments &...arguments) noexcept
    {
        return detail::call(setter, handle_, arguments...);
    }

    static std::int32_t call_log(std::int32_t level, const char *line, void *user_data) noexcept
    {
        return detail::guard([&] { (*static_cast<Log *>(user_data))(static_cast<LogLevel>(level), line); });
    }

#if RESUP_HAS_EXCEPTIONS
    template <class... Parameters, class... Arguments>
    Client &must(resup_status (*setter)(resup_client *, Parameters...), const Arguments &...arguments)
    {
        if (const std::error_code error = set(setter, arguments...))
            fail(error, detail::faults(arguments...));
        return *this;
    }

    [[noreturn]] void fail(std::error_code error, const std::string &fault) const
    {
        throw Error(error, {fault.empty() ? last_error_message(handle_) : fault, {}, 0, false});
    }
#endif

    resup_client *handle_ = nullptr;
};

} // namespace resup

#endif
