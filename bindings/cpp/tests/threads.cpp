// Runs on other threads, and how they are ended.
#include "behaviour.hpp"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

static void many_run_at_once_on_one_client(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    std::vector<resup::Upload> uploads;
    std::vector<std::future<void>> ends;
    for (int i = 0; i < 8; ++i) {
        uploads.emplace_back(client, make_file(setup, "at-once-" + std::to_string(i), 300'000));
        ends.push_back(uploads.back().run_async());
    }
    for (auto &end : ends)
        end.get();
    for (const auto &upload : uploads)
        CHECK(upload.state() == resup::State::complete);
}

static void a_future_brings_the_failure(const Setup &setup)
{
    resup::Client client(setup.forbidden);
    resup::Upload upload(client, make_file(setup, "future", 1000));
    auto end = upload.run_async();
    CHECK(catch_from<resup::Error>([&] { end.get(); }).http_status() == 403);
}

// Starts an upload that is so slow that it still runs when this returns.
static resup::Upload under_way(const Setup &setup, const char *name, std::future<void> &end)
{
    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, name, 900'000));
    upload.set_rate_limit(100'000);
    end = upload.run_async();
    while (upload.bytes_sent() == 0)
        std::this_thread::yield();
    return upload;
}

static void other_threads_pause_resume_and_cancel(const Setup &setup)
{
    std::future<void> end;
    resup::Upload upload = under_way(setup, "paused", end);
    CHECK(catch_from<resup::Error>([&] { upload.set_name("x"); }).code() == resup::Errc::busy);
    upload.pause();
    while (upload.state() != resup::State::paused)
        std::this_thread::yield();
    upload.resume();
    upload.set_rate_limit(0);
    end.get();
    CHECK(upload.state() == resup::State::complete);

    resup::Upload other = under_way(setup, "cancelled-by-another", end);
    other.cancel();
    CHECK(catch_from<resup::Error>([&] { end.get(); }).code() == resup::Errc::cancelled);
}

static void destruction_ends_what_is_under_way(const Setup &setup)
{
    std::future<void> end;
    {
        resup::Upload upload = under_way(setup, "destroyed-while-it-runs", end);
    }
    CHECK(catch_from<resup::Error>([&] { end.get(); }).code() == resup::Errc::cancelled);

    resup::Client client(setup.endpoint);
    resup::Upload started(client, make_file(setup, "destroyed-after-start", 900'000));
    started.set_rate_limit(100'000).start();
}

static void destruction_cancels_a_run_that_has_not_begun(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    for (int i = 0; i < 20; ++i) {
        std::future<void> end;
        {
            auto upload = resup::Upload::from_memory(client, "not-begun", "abc");
            end = upload.run_async();
        }
        CHECK(catch_from<resup::Error>([&] { end.get(); }).code() == resup::Errc::cancelled);
    }
}

// The destructor waits for the run just then.
static void a_failure_keeps_its_details_while_its_upload_is_destroyed(const Setup &setup)
{
    resup::Client client(setup.forbidden);
    for (int i = 0; i < 200; ++i) {
        std::atomic<bool> ending{false};
        std::future<void> end;
        {
            auto upload = resup::Upload::from_memory(client, "all-details", "abc");
            upload.on_complete([&](std::error_code) { ending = true; });
            end = upload.run_async();
            while (!ending)
                std::this_thread::yield();
        }
        const auto error = catch_from<resup::Error>([&] { end.get(); });
        CHECK(error.http_status() == 403 && error.server_message() == "not you");
    }
}

static void texts_are_asked_for_while_runs_begin(const Setup &setup)
{
    resup::Client client(setup.endpoint);
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

static void a_stop_token_cancels(const Setup &setup)
{
#ifdef __cpp_lib_jthread
    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, "stopped", 900'000));
    upload.set_rate_limit(100'000);
    std::error_code code;
    {
        std::jthread worker([&](std::stop_token token) {
            code = catch_from<resup::Error>([&] { upload.run(token); }).code();
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
    CHECK(catch_from<resup::Error>([&] { upload.run(stopped.get_token()); }).code() == resup::Errc::cancelled);
#else
    (void)setup;
#endif
}

static void a_callback_of_a_run_by_the_c_api_destroys_the_object(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    auto upload = std::make_unique<resup::Upload>(client, make_file(setup, "by-the-c-api", 1000));
    resup_upload *handle = upload->get();
    upload->on_state([&](resup::State) { upload.reset(); });
    CHECK(resup_upload_run(handle) == RESUP_E_CANCELLED);
    CHECK(resup_upload_free(handle) == RESUP_OK);
}

void threads(const Setup &setup)
{
    many_run_at_once_on_one_client(setup);
    a_future_brings_the_failure(setup);
    other_threads_pause_resume_and_cancel(setup);
    destruction_ends_what_is_under_way(setup);
    destruction_cancels_a_run_that_has_not_begun(setup);
    a_failure_keeps_its_details_while_its_upload_is_destroyed(setup);
    texts_are_asked_for_while_runs_begin(setup);
    a_stop_token_cancels(setup);
    a_callback_of_a_run_by_the_c_api_destroys_the_object(setup);
}
