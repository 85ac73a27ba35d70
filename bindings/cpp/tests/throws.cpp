// What is thrown: the library's errors, and what callbacks throw.
#include "behaviour.hpp"

#include <stdexcept>

static void errors_have_all_details(const Setup &setup)
{
    resup::Client client(setup.forbidden);
    resup::Upload upload(client, make_file(setup, "forbidden", 1000));
    const auto error = catch_from<resup::Error>([&] { upload.run(); });
    CHECK(error.code() == resup::Errc::not_allowed);
    CHECK(error.code() == std::errc::permission_denied);
    CHECK(error.code().category() == resup::category());
    CHECK(error.http_status() == 403 && error.server_message() == "not you");
    CHECK(!error.is_retryable() && !upload.is_retryable());
    CHECK(std::string(error.what()).find("not you") != std::string::npos);
    CHECK(upload.error_message() == error.what() && upload.server_message() == "not you");

    const auto missing = catch_from<resup::Error>([&] { resup::Upload(client, setup.dir / "missing"); });
    CHECK(missing.code() == std::errc::no_such_file_or_directory);
    CHECK(std::string(missing.what()).find("missing") != std::string::npos);
    const auto url = catch_from<resup::Error>([] { resup::Client("ftp://example.org"); });
    CHECK(url.code() == resup::Errc::url && std::string(url.what()).find("ftp") != std::string::npos);
    const auto value = catch_from<resup::Error>([&] { client.set_proxy("gopher://x"); });
    CHECK(value.code() == std::errc::invalid_argument);
    CHECK(std::string(value.what()).find("gopher") != std::string::npos);
    const auto unnamed = catch_from<resup::Error>([&] { upload.set_name(""); });
    CHECK(unnamed.code() == resup::Errc::argument && *unnamed.what());
    CHECK(unnamed.http_status() == 0 && unnamed.server_message().empty()); // Those are the run's.
}

// The library knows whether the server ever spoke the protocol; the binding says what the library says.
static void a_page_is_retryable_only_after_good_answers(const Setup &setup)
{
    resup::Client lost(setup.lost);
    lost.set_retry_limit(1).set_retry_backoff(std::chrono::milliseconds(1), std::chrono::milliseconds(1));
    auto later = resup::Upload::from_memory(lost, "page-later", "abc");
    const auto passing = catch_from<resup::Error>([&] { later.run(); });
    CHECK(passing.code() == resup::Errc::bad_response);
    CHECK(passing.is_retryable() && later.is_retryable());

    resup::Client wrong(setup.page);
    auto first = resup::Upload::from_memory(wrong, "page-first", "abc");
    const auto final = catch_from<resup::Error>([&] { first.run(); });
    CHECK(final.code() == resup::Errc::bad_response);
    CHECK(!final.is_retryable() && !first.is_retryable());
}

struct Own : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Each callback throws once; run() throws the same, and the upload can be run again.
static void what_a_callback_throws_comes_out_of_run(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    const auto path = make_file(setup, "thrown", 3'000'000);
    for (int which = 0; which < 4; ++which) {
        resup::Upload upload(client, path);
        upload.set_name("thrown-" + std::to_string(which));
        int calls = 0;
        const auto thrower = [&](int mine) {
            if (mine == which && ++calls == 1)
                throw Own("from callback " + std::to_string(mine));
        };
        upload.on_state([&](resup::State) { thrower(0); });
        upload.on_progress([&](const resup::Progress &) { thrower(1); });
        upload.on_complete([&](std::error_code) { thrower(2); });
        client.on_log(resup::LogLevel::debug, [&](resup::LogLevel, std::string_view) { thrower(3); });
        // Slow enough not to be complete before its callbacks are called.
        upload.set_rate_limit(which == 2 ? 0 : 1'000'000);
        const auto error = catch_from<Own>([&] { upload.run(); });
        CHECK(error.what() == "from callback " + std::to_string(which));
        const bool ended = which == 2; // The completion function is called when all is done.
        CHECK(upload.state() == (ended ? resup::State::complete : resup::State::cancelled));
        upload.set_rate_limit(0);
        upload.run();
        CHECK(upload.state() == resup::State::complete);
    }
}

static void wait_throws_it_too(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    resup::Upload upload(client, make_file(setup, "thrown-in-wait", 1'000'000));
    upload.on_state([](resup::State) { throw Own("once"); });
    upload.start();
    const auto wait = [&] {
        while (!upload.wait(std::chrono::milliseconds(10)))
            ;
    };
    catch_from<Own>(wait);
}

static void a_run_within_a_callback_has_its_own_exceptions(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    resup::Upload outer(client, make_file(setup, "outer", 1000));
    int inner_runs = 0;
    outer.on_state([&](resup::State state) {
        if (state != resup::State::locating)
            return;
        resup::Upload inner(client, make_file(setup, "inner", 1000));
        inner.on_state([](resup::State) { throw Own("inner"); });
        catch_from<Own>([&] { inner.run(); });
        ++inner_runs;
    });
    outer.run();
    CHECK(inner_runs == 1 && outer.state() == resup::State::complete);
}

static void a_callback_may_cancel_and_destroy(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    resup::Upload cancelled(client, make_file(setup, "cancelled", 500'000));
    cancelled.set_rate_limit(100'000); // Slow enough not to be complete before.
    cancelled.on_state([&](resup::State state) {
        if (state == resup::State::locating)
            cancelled.cancel();
    });
    const auto error = catch_from<resup::Error>([&] { cancelled.run(); });
    CHECK(error.code() == resup::Errc::cancelled && error.code() == std::errc::operation_canceled);
    CHECK(!error.is_retryable() && !cancelled.is_retryable());

    resup::Upload destroyed(client, make_file(setup, "destroyed", 500'000));
    destroyed.set_rate_limit(100'000);
    destroyed.on_state([&](resup::State) { resup::Upload gone(std::move(destroyed)); });
    const auto last = catch_from<resup::Error>([&] { destroyed.run(); });
    CHECK(last.code() == resup::Errc::cancelled && !destroyed);

    auto waited = std::make_unique<resup::Upload>(client, setup.dir / "destroyed");
    waited->set_rate_limit(100'000);
    waited->on_state([&](resup::State) { waited.reset(); });
    waited->start();
    CHECK(catch_from<resup::Error>([&] { waited->wait(); }).code() == resup::Errc::cancelled && !waited);
}

void throws(const Setup &setup)
{
    errors_have_all_details(setup);
    a_page_is_retryable_only_after_good_answers(setup);
    what_a_callback_throws_comes_out_of_run(setup);
    wait_throws_it_too(setup);
    a_run_within_a_callback_has_its_own_exceptions(setup);
    a_callback_may_cancel_and_destroy(setup);
}
