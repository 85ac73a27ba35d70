/*
 * Uploads files side by side, and shows a bar for each.
 *
 *     uploads URL FILE...
 *
 * Run it again after it was interrupted, for whatever reason: it goes on from what the server has. Ctrl-C ends it
 * cleanly. Bars go to stderr, results, a line each, to stdout.
 *
 * Build, at the top of the tree, after `make lib`:
 *     c++ -std=c++17 -Iinclude -Ibindings/cpp/include examples/cpp/upload.cpp -pthread -Ltarget/release -lresup -Wl,-rpath,$PWD/target/release -o uploads
 */
#include <resup/resup.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <future>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

volatile std::sig_atomic_t interrupted = 0;

struct Job {
    std::filesystem::path path;
    resup::Upload upload;
    std::future<void> end;
};

const char *word(resup::State state)
{
    switch (state) {
    case resup::State::hashing: return "reading";
    case resup::State::locating: return "asking";
    case resup::State::sending: return "sending";
    case resup::State::verifying: return "verifying";
    case resup::State::waiting: return "connection lost, waiting";
    case resup::State::paused: return "paused";
    case resup::State::complete: return "complete";
    case resup::State::failed: return "failed";
    case resup::State::cancelled: return "cancelled";
    default: return "ready";
    }
}

// The digest by which client and server compared the file.
std::string digest(const resup::Upload &upload)
{
    const std::string value = upload.digest().value_or("-");
    switch (upload.digest_algorithm()) {
    case resup::DigestAlgorithm::blake3: return "blake3:" + value;
    case resup::DigestAlgorithm::sha256: return "sha256:" + value;
    case resup::DigestAlgorithm::md5: return "md5:" + value;
    default: return "no digest";
    }
}

std::string bar(const Job &job)
{
    const auto size = job.upload.size();
    const double done = size ? static_cast<double>(job.upload.position()) / static_cast<double>(size) : 0.0;
    const auto filled = static_cast<std::size_t>(done * 30);
    std::ostringstream line;
    line << '[' << std::string(filled, '#') << std::string(30 - filled, '.') << "] " << std::fixed
         << std::setprecision(1) << std::setw(5) << done * 100 << " %  " << std::setw(7)
         << static_cast<double>(job.upload.rate()) / 1e6 << " MB/s  ";
    if (const auto left = job.upload.time_left())
        line << left->count() / 1000 << " s left  ";
    line << word(job.upload.state()) << "  " << job.path.filename().u8string();
    return line.str();
}

// Shows all jobs ten times a second, over what was shown before, until all have ended.
void watch(std::vector<Job> &jobs)
{
    for (bool pending = true, first = true; pending; first = false) {
        if (!first)
            std::cerr << "\x1b[" << jobs.size() << 'A';
        pending = false;
        for (auto &job : jobs) {
            if (interrupted)
                job.upload.cancel();
            std::cerr << "\x1b[2K" << bar(job) << '\n';
            pending |= job.end.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready;
        }
        if (pending)
            jobs.front().end.wait_for(std::chrono::milliseconds(100));
    }
}

} // namespace

int main(int argc, char **argv)
try {
    if (argc < 3) {
        std::cerr << "usage: uploads URL FILE...\n";
        return 2;
    }
    resup::Client client(argv[1]);
    std::vector<Job> jobs;
    for (int i = 2; i < argc; ++i)
        jobs.push_back({argv[i], resup::Upload(client, argv[i]), {}});
    std::signal(SIGINT, [](int) { interrupted = 1; });
    for (auto &job : jobs) {
        // A server of tus takes the file, too. For another run of this program to go on there, one line more:
        // job.upload.set_state_file(job.path.string() + ".state");
        job.end = job.upload.run_async(); // on a thread of its own; the future throws what it throws
    }
    watch(jobs);

    int failed = 0;
    for (auto &job : jobs) {
        try {
            job.end.get();
            std::cout << job.path.string() << ": complete, id=" << job.upload.id().value_or("-") << ", "
                      << digest(job.upload) << '\n';
        } catch (const resup::Error &error) {
            std::cout << job.path.string() << ": " << error.what() << '\n';
            failed = 1;
        }
    }
    return failed;
} catch (const std::exception &error) {
    std::cerr << "upload: " << error.what() << '\n';
    return 2;
}
