// Every setting reaches the library; what they do there is shown by the tests of the C API.
#include "behaviour.hpp"

using namespace std::chrono_literals;

static void all_are_accepted(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    client.set_user("joe")
        .set_user_agent("test/1")
        .set_dialect("plain")
        .set_protocol(resup::Protocol::form)
        .set_locate_method(resup::LocateMethod::get)
        .set_creation_with_upload(true)
        .set_connect_timeout(30s)
        .set_response_timeout(120s)
        .set_stall_timeout(60s)
        .set_rate_limit(0)
        .set_retry_limit(3)
        .set_retry_timeout(0ms)
        .set_retry_backoff(5ms, 40ms)
        .set_basic_auth("joe", "secret")
        .set_bearer_token("token")
        .set_header("X-Own", "1")
        .set_cookie("own", "1")
        .set_signing_secret(std::string_view("a\0b", 3))
        .set_signing_algorithm(resup::SigningAlgorithm::hmac_md5)
        .set_proxy("none")
        .set_no_proxy("localhost,10.0.0.0/8")
        .set_trust(resup::Trust::bundled)
        .set_tls_verify(true)
        .set_filename_style(resup::FilenameStyle::rfc8187);
    resup::Upload upload(client, make_file(setup, "settings", 100'000));
    upload.set_name("set.txt")
        .set_directory("d")
        .set_content_type("text/plain")
        .set_field("a", "b")
        .set_digest(resup::Digest::first)
        .set_digest_algorithm(resup::DigestAlgorithm::md5)
        .set_read_back(true)
        .set_connections(6)
        .set_state_file(setup.dir / "state")
        .set_segment_size(RESUP_SEGMENT_AUTOMATIC)
        .set_rate_limit(0);
    upload.run();
}

static void bad_ones_throw(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    const auto refused = [](auto &&work) {
        const auto error = catch_from<resup::Error>(work);
        CHECK(*error.what());
        return error.code();
    };
    CHECK(refused([&] { client.set_connect_timeout(0ms); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_connect_timeout(-5s); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_ca_file(setup.dir / "missing.pem"); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_ca_pem("nothing"); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_client_certificate("a", "b"); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_login_field("a", "b"); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_login_form("https://elsewhere.example/"); }) == resup::Errc::url);
    CHECK(refused([&] { client.set_user("\xff"); }) == resup::Errc::utf8);
    CHECK(refused([&] { client.set_retry_timeout(-1ms); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_user(std::string("joe\0admin", 9)); }) == resup::Errc::argument);
    const std::string cut("http://127.0.0.1:1/a\0b", 22);
    CHECK(refused([&] { resup::Client other(cut); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_protocol(static_cast<resup::Protocol>(7)); }) == resup::Errc::argument);
    CHECK(refused([&] { client.set_dialect("{"); }) == resup::Errc::argument);
    client.set_connect_timeout(std::chrono::hours(1'000'000)); // The most there is.

    resup::Upload parted(client, make_file(setup, "parted", 10));
    CHECK(refused([&] { parted.set_parts("{\"part_size\": 0}"); }) == resup::Errc::argument);
    parted.set_parts("{\"part_size\": 10, \"parts\": [\"http://127.0.0.1:1/1?s\", \"http://127.0.0.1:1/2?s\"], "
                     "\"complete\": \"http://127.0.0.1:1/c?s\"}");
    // It is a file of one part.
    CHECK(refused([&] { parted.run(); }) == resup::Errc::argument);

    resup::Client tus(setup.endpoint);
    tus.set_protocol(resup::Protocol::tus);
    resup::Upload upload(tus, make_file(setup, "tus", 10));
    upload.set_digest_algorithm(resup::DigestAlgorithm::sha256);
    CHECK(refused([&] { upload.run(); }) == resup::Errc::argument);
    CHECK(!upload.protocol());
    upload.set_digest_algorithm(resup::DigestAlgorithm::automatic).run();
    CHECK(upload.protocol() == "tus");
    tus.set_protocol(resup::Protocol::ietf);
    resup::Upload other(tus, make_file(setup, "ietf", 10));
    other.run();
    CHECK(other.protocol() == "ietf");
}

void settings(const Setup &setup)
{
    all_are_accepted(setup);
    bad_ones_throw(setup);
}
