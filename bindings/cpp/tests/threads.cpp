// Runs on other threads, and how they are ended.
#include "behaviour.hpp"

#include <atomic>
#include <thread>
#include <vector>

static void many_run_at_once_on_one_client(const Given &given)
{
    resup::Client client(given.endpoint);
    std::vector<resup::Upload> uploads;
    std::vector<std::future<void>> ends;
    for (int i = 0; i < 8; ++i) {
        uploads.emplace_back(client, made(given, "at-once-" + std::to_string(i), 300'000));
        ends.push_back(uploads.back().run_async());
    }
    for (auto &end : ends)
        end.get();
    for (const auto &upload : uploads)
        CHECK(upload.state() == resup::State::complete);
}

static void a_future_brings_the_failure(const Given &given)
{
    resup::Client client(given.forbidden);
    resup::Upload upload(client, made(given, "future", 1000));
    auto end = upload.run_async();
    CHECK(thrown_by<resup::Error>([&] { end.get(); }).http_status() == 403);
}

// An upload that is slow enough to be met under way, and then is.
static resup::Upload under_way(const Given &given, const char *name, std::future<void> &end)
{
    resup::Client client(given.endpoint);
    resup::Upload upload(client, made(given, name, 900'000));
    upload.set_rate_limit(100'000);
    end = upload.run_async();
    while (upload.bytes_sent() == 0)
        std::this_thread::yield();
    return upload;
}

static void other_threads_pause_resume_and_cancel(const Given &given)
{
    std::future<void> end;
    resup::Upload upload = under_way(given, "paused", end);
    CHECK(thrown_by<resup::Error>([&] { upload.set_name("x"); }).code() == resup::Errc::busy);
    upload.pause();
    while (upload.state() != resup::State::paused)
        std::this_thread::yield();
    upload.resume();
    upload.set_rate_limit(0);
    end.get();
    CHECK(upload.state() == resup::State::complete);

    resup::Upload other = under_way(given, "cancelled-by-another", end);
    other.cancel();
    CHECK(thrown_by<resup::Error>([&] { end.get(); }).code() == resup::Errc::cancelled);
}

static void destruction_ends_what_is_under_way(const Given &given)
{
    std::future<void> end;
    {
        resup::Upload upload = under_way(given, "destroyed-while-it-runs", end);
    }
    CHECK(thrown_by<resup::Error>([&] { end.get(); }).code() == resup::Errc::cancelled);

    resup::Client client(given.endpoint);
    resup::Upload started(client, made(given, "destroyed-after-start", 900'000));
    started.set_rate_limit(100'000).start();
}

static void destruction_cancels_a_run_that_has_not_begun(const Given &given)
{
    resup::Client client(given.endpoint);
    for (int i = 0; i < 20; ++i) {
        std::future<void> end;
        {
            auto upload = resup::Upload::from_memory(client, "not-begun", "abc");
            end = upload.run_async();
        }
        CHECK(thrown_by<resup::Error>([&] { end.get(); }).code() == resup::Errc::cancelled);
    }
}

// The destructor waits for the run just then.
static void a_failure_is_told_whole_while_its_upload_is_destroyed(const Given &given)
{
    resup::Client client(given.forbidden);
    for (int i = 0; i < 200; ++i) {
        std::atomic<bool> ending{false};
        std::future<void> end;
        {
            auto upload = resup::Upload::from_memory(client, "told-whole", "abc");
            upload.on_complete([&](std::error_code) { ending = true; });
            end = upload.run_async();
            while (!ending)
                std::this_thread::yield();
        }
        const auto error = thrown_by<resup::Error>([&] { end.get(); });
        CHECK(error.http_status() == 403 && error.server_message() == "not you");
    }
}

static void texts_are_asked_for_while_runs_begin(const Given &given)
{
    resup::Client client(given.endpoint);
    auto upload = resup::Upload::from_memory(client, "asked-for", "abc");
    upload.run();
    std::atomic<bool> ended{false};
    auto asks = std::async(std::launch::async, [&] {
        while (!ended)
            CHECK(upload.id() != "");
    });
    for (int i = 0; i < 100; ++i)
        upload.run();
    ended = true;
    asks.get();
}

static void a_stop_token_cancels(const Given &given)
{
#ifdef __cpp_lib_jthread
    resup::Client client(given.endpoint);
    resup::Upload upload(client, made(given, "stopped", 900'000));
    upload.set_rate_limit(100'000);
    std::error_code code;
    {
        std::jthread worker([&](std::stop_token token) {
            code = thrown_by<resup::Error>([&] { upload.run(token); }).code();
        });
        while (upload.bytes_sent() == 0)
            std::this_thread::yield();
    } // The destructor asks it to stop.
    CHECK(code == std::errc::operation_canceled);
    upload.set_rate_limit(0);
    upload.run(std::stop_token());
    CHECK(upload.state() == resup::State::complete);
    std::stop_source stopped;
    stopped.request_stop(); // Between two runs.
    CHECK(thrown_by<resup::Error>([&] { upload.run(stopped.get_token()); }).code() == resup::Errc::cancelled);
#else
    (void)given;
#endif
}

void threads(const Given &given)
{
    many_run_at_once_on_one_client(given);
    a_future_brings_the_failure(given);
    other_threads_pause_resume_and_cancel(given);
    destruction_ends_what_is_under_way(given);
    destruction_cancels_a_run_that_has_not_begun(given);
    a_failure_is_told_whole_while_its_upload_is_destroyed(given);
    texts_are_asked_for_while_runs_begin(given);
    a_stop_token_cancels(given);
}
