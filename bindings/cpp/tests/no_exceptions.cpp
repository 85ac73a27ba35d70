// The binding under -fno-exceptions: ENDPOINT FORBIDDEN DIR PAGE LOST.
#include <resup/resup.hpp>

#include <sstream>

#include "check.hpp"

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    static_assert(!RESUP_HAS_EXCEPTIONS, "compiled with -fno-exceptions");
    std::error_code error;
    resup::Client client("ftp://x", error);
    CHECK(!client && error == resup::Errc::url && !resup::last_error_message().empty());
    client = resup::Client(argv[1], error);
    CHECK(client && !error);
    client.set_retry_limit(2, error);
    CHECK(!error);
    int lines = 0;
    client.on_log(resup::LogLevel::info, [&](resup::LogLevel, std::string_view) { ++lines; }, error);
    CHECK(!error);

    resup::Upload upload(client, std::filesystem::path(argv[3]) / "missing", error);
    CHECK(!upload && error == std::errc::no_such_file_or_directory);
    upload = resup::Upload::from_memory(client, "plain", "abc", error);
    CHECK(upload && !error);
    upload.set_directory("d", error);
    CHECK(!error);
    int states = 0, ends = 0;
    upload.on_state([&](resup::State) { ++states; }, error);
    CHECK(!error);
    upload.on_progress([&](const resup::Progress &) {}, error);
    CHECK(!error);
    upload.on_complete([&](std::error_code) { ++ends; }, error);
    CHECK(!error);
    upload.run(error);
    CHECK(!error && states > 0 && ends == 1 && lines > 0);

    auto stream = std::make_unique<std::istringstream>("abc");
    upload = resup::Upload::from_stream(client, "streamed plain", std::move(stream), error);
    CHECK(!error);
    upload.set_digest_algorithm(resup::DigestAlgorithm::md5, error);
    CHECK(!error);
    upload.set_read_back(true, error);
    CHECK(!error);
    upload.set_connections(7, error);
    CHECK(error == resup::Errc::argument);
    upload.start(error);
    CHECK(!error);
    while (!upload.wait(std::chrono::milliseconds(10), error))
        CHECK(!error);
    CHECK(!error && upload.md5() == "900150983cd24fb0d6963f7d28e17f72");

    client = resup::Client(argv[2], error);
    upload = resup::Upload::from_memory(client, "forbidden", "abc", 3, error);
    upload.run(error);
    CHECK(error == resup::Errc::not_allowed && !upload.is_retryable());
    CHECK(upload.error_message().find("not you") != std::string::npos);
    std::puts("all of it");
}
