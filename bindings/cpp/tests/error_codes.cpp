// The overloads that set a std::error_code: each does what the throwing one does, and throws no resup::Error.
#include "behaviour.hpp"

#include <sstream>

using namespace std::chrono_literals;

static void constructors_set_a_code(const Setup &setup)
{
    std::error_code error;
    resup::Client client("ftp://x", error);
    CHECK(!client && error == resup::Errc::url);
    resup::Upload upload(client, setup.dir / "any", error);
    CHECK(!upload && error == resup::Errc::null);
    client = resup::Client(setup.endpoint, error);
    CHECK(client && !error);
    upload = resup::Upload(client, setup.dir, error);
    CHECK(!upload && error == resup::Errc::source_not_a_file);
    CHECK(resup::last_error_message(client.get()).find("not a regular file") != std::string::npos);
    upload = resup::Upload(client, make_file(setup, "by-code", 1000), error);
    CHECK(upload && !error);

    const std::string cut("a\0b", 3);
    resup::Client none("http://127.0.0.1:1/" + cut, error);
    CHECK(!none && error == resup::Errc::argument);
    CHECK(!resup::Upload::from_memory(client, cut, "abc", error) && error == resup::Errc::argument);
    CHECK(!resup::Upload::from_memory(client, "", "abc", 3, error) && error == resup::Errc::argument);
    auto stream = std::make_unique<std::istringstream>("abc");
    CHECK(!resup::Upload::from_stream(client, cut, std::move(stream), error) && error == resup::Errc::argument);
}

static void setters_set_a_code(const Setup &setup)
{
    std::error_code error;
    resup::Client client(setup.endpoint);
    client.set_proxy("gopher://x", error);
    CHECK(error == resup::Errc::argument);
    CHECK(resup::last_error_message(client.get()).find("gopher") != std::string::npos);
    client.set_user(std::string("joe\0admin", 9), error);
    CHECK(error == resup::Errc::argument);
    client.set_retry_timeout(-1ms, error);
    CHECK(error == resup::Errc::argument);
    client.set_retry_backoff(1ms, 2ms, error);
    CHECK(!error); // It clears what was there.
    client.set_ca_file(setup.dir / "missing.pem", error);
    CHECK(error == resup::Errc::argument);
    client.set_signing_secret("s", error);
    CHECK(!error);

    resup::Upload upload(client, make_file(setup, "set-by-code", 1000));
    upload.set_name("a/b", error);
    CHECK(error == resup::Errc::argument && upload.error_message().find("a/b") != std::string::npos);
    upload.set_digest(resup::Digest::none, error);
    CHECK(!error);
    upload.set_state_file(setup.dir / "state-by-code", error);
    CHECK(!error);
}

static void runs_set_a_code(const Setup &setup)
{
    std::error_code error;
    resup::Upload empty;
    empty.run(error);
    CHECK(error == resup::Errc::null);
    CHECK(!empty.wait(0ms, error) && error == resup::Errc::null);

    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, "run-by-code", 1000));
    CHECK(!upload.wait(0ms, error) && error == resup::Errc::state);
    upload.run(error);
    CHECK(!error && upload.state() == resup::State::complete);

    upload.set_name("waited-for-by-code").set_rate_limit(10'000);
    upload.start(error);
    CHECK(!error && !upload.wait(0ms, error) && !error); // It goes on.
    upload.set_rate_limit(0);
    CHECK(upload.wait(-1ms, error) && !error);

    resup::Client forbidding(setup.forbidden);
    auto forbidden = resup::Upload::from_memory(forbidding, "forbidden-by-code", "abc");
    forbidden.run(error);
    CHECK(error == resup::Errc::not_allowed && forbidden.http_status() == 403);
#ifdef __cpp_lib_jthread
    std::stop_source stopped;
    stopped.request_stop();
    upload.run(stopped.get_token(), error);
    CHECK(error == resup::Errc::cancelled);
#endif
}

void error_codes(const Setup &setup)
{
    constructors_set_a_code(setup);
    setters_set_a_code(setup);
    runs_set_a_code(setup);
}
