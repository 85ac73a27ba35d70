// States, progress and the end of a run, and objects that are moved.
#include "behaviour.hpp"

#include <memory>
#include <vector>

static void a_run_reports_states_progress_and_its_end(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, "文件 é.bin", 2'000'000));
    std::vector<resup::State> states;
    std::uint64_t last = 0;
    int ends = 0;
    upload.on_state([&](resup::State state) { states.push_back(state); })
        .on_progress([&](const resup::Progress &now) {
            CHECK(now.size == 2'000'000 && now.position <= now.size && ends == 0);
            last = now.position;
        })
        .on_complete([&](std::error_code code) {
            CHECK(!code);
            ++ends;
        });
    upload.set_directory("a/b").set_field("ticket", "4711");
    CHECK(upload.state() == resup::State::ready);
    upload.run();
    CHECK(ends == 1 && last == 2'000'000);
    CHECK(states.front() == resup::State::locating && states.back() == resup::State::complete);
    CHECK(upload.state() == resup::State::complete && upload.offset() == upload.size());
    CHECK(upload.bytes_sent() == 2'000'000 && upload.bytes_skipped() == 0);
    const bool is_md5 = upload.digest_algorithm() == resup::DigestAlgorithm::md5;
    CHECK(upload.digest()->size() == (is_md5 ? 32 : 64) && upload.md5().has_value() == is_md5);
    CHECK(upload.id() && upload.location() && upload.protocol() == "form");
    CHECK(upload.http_status() == 200 && upload.attempts() == 1 && upload.error_message().empty());
    CHECK(upload.retry_in().count() == 0 && !upload.time_left() && upload.rate() == 0);
    CHECK(upload.position() == 2'000'000 && !upload.server_excerpt());

    resup::Upload again(client, setup.dir / std::filesystem::u8path("文件 é.bin"));
    again.set_directory("a/b").run();
    CHECK(again.bytes_sent() == 0 && again.bytes_skipped() == 2'000'000 && again.id() == upload.id());
}

static void a_discard_takes_an_upload_back(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, "discarded", 3'000'000));
    upload.set_rate_limit(1'500'000).on_progress([&](const resup::Progress &) {
        if (upload.state() == resup::State::sending)
            upload.cancel();
    });
    CHECK(catch_from<resup::Error>([&] { upload.run(); }).code() == resup::Errc::cancelled);
    upload.set_rate_limit(0).on_progress(nullptr);
    upload.discard();
    CHECK(upload.state() == resup::State::ready);
    upload.run();
    CHECK(upload.bytes_skipped() == 0);
    const auto error = catch_from<resup::Error>([&] { upload.discard(); });
    CHECK(error.code() == resup::Errc::refused && error.http_status() == 409 && !error.is_retryable());
    std::error_code code;
    upload.discard(code);
    CHECK(code == resup::Errc::refused);
}

static void moved_objects_go_on(const Setup &setup)
{
    resup::Client first(setup.endpoint);
    resup::Client client(std::move(first));
    CHECK(!first && client);
    resup::Upload upload(client, make_file(setup, "moved", 700'000));
    auto count = std::make_shared<int>(0);
    upload.on_complete([count](std::error_code) { ++*count; });
    upload.start();
    resup::Upload target;
    target = std::move(upload);
    CHECK(!upload && target);
    client = resup::Client(); // Uploads keep what they need.
    while (!target.wait(std::chrono::milliseconds(20)))
        ;
    CHECK(*count == 1 && target.state() == resup::State::complete);
    CHECK(count.use_count() == 2);
    target = resup::Upload();
    CHECK(count.use_count() == 1); // The function was destroyed.
    const auto error = catch_from<resup::Error>([&] { upload.run(); });
    CHECK(error.code() == resup::Errc::null);
}

static void callbacks_are_replaced_and_removed(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, "replaced", 1000));
    int wrong = 0, right = 0;
    upload.on_state([&](resup::State) { ++wrong; }).on_state([&](resup::State) { ++right; });
    upload.on_progress([&](const resup::Progress &) { ++wrong; }).on_progress(nullptr);
    upload.run();
    CHECK(wrong == 0 && right > 0);
}

static void the_log_function_gets_the_lines(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    std::string lines;
    client.on_log(resup::LogLevel::info, [&](resup::LogLevel level, std::string_view line) {
        CHECK(level <= resup::LogLevel::info);
        lines.append(line).append("\n");
    });
    resup::Upload(client, make_file(setup, "logged", 1000)).run();
    CHECK(lines.find("complete: 1000 bytes") != std::string::npos);
}

void runs(const Setup &setup)
{
    a_run_reports_states_progress_and_its_end(setup);
    a_discard_takes_an_upload_back(setup);
    moved_objects_go_on(setup);
    callbacks_are_replaced_and_removed(setup);
    the_log_function_gets_the_lines(setup);
}
