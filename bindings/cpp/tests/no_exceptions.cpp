// The binding under -fno-exceptions: ENDPOINT FORBIDDEN DIR.
#include <resup/resup.hpp>

#include <sstream>

#include "check.hpp"

int main(int argc, char **argv)
{
    CHECK(argc == 4);
    static_assert(!RESUP_HAS_EXCEPTIONS, "compiled with -fno-exceptions");
    std::error_code error;
    resup::Client client = resup::Client::create("ftp://x", error);
    CHECK(!client && error == resup::Errc::url && !resup::last_error_message().empty());
    client = resup::Client::create(argv[1], error);
    CHECK(client && !error && !client.set(resup_client_set_retry_limit, 2u));
    int lines = 0;
    CHECK(!client.try_on_log(resup::LogLevel::info, [&](resup::LogLevel, std::string_view) { ++lines; }));

    resup::Upload upload = resup::Upload::create(client, std::filesystem::path(argv[3]) / "missing", error);
    CHECK(!upload && error == std::errc::no_such_file_or_directory);
    upload = resup::Upload::create_from_memory(client, "plain", "abc", 3, error);
    CHECK(upload && !upload.set(resup_upload_set_directory, "d"));
    int states = 0, ends = 0;
    CHECK(!upload.try_on_state([&](resup::State) { ++states; }));
    CHECK(!upload.try_on_progress([&](const resup::Progress &) {}));
    CHECK(!upload.try_on_complete([&](std::error_code) { ++ends; }));
    CHECK(!upload.try_run() && states > 0 && ends == 1 && lines > 0);

    auto stream = std::make_unique<std::istringstream>("abc");
    upload = resup::Upload::create_from_stream(client, "streamed plain", std::move(stream), error);
    CHECK(!error && !upload.try_start());
    while ((error = upload.try_wait(std::chrono::milliseconds(10))) == resup::Errc::pending)
        ;
    CHECK(!error && upload.md5() == "900150983cd24fb0d6963f7d28e17f72");

    client = resup::Client::create(argv[2], error);
    upload = resup::Upload::create_from_memory(client, "forbidden", "abc", 3, error);
    CHECK(upload.try_run() == resup::Errc::not_allowed);
    CHECK(upload.error_message().find("not you") != std::string::npos);
    std::puts("all of it");
}
