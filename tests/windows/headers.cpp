// A program as it is on Windows: windows.h comes first, with all its macros, and min and max, which Microsoft's has, too.
// It uploads FILE to URL as a program with a window does it, by start() and wait(), and as every program can.
#include <windows.h>

// The standard headers of other compilers than Microsoft's do not expect the last two.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <iostream>
#include <istream>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#ifndef ERROR
#define ERROR 0
#endif

#include <resup/resup.hpp>

static int upload(const char *url, const wchar_t *file)
try {
    resup::Client client(url);
    resup::Upload upload(client, file);
    std::uint64_t seen = 0;
    upload.set_name("windows.bin").on_progress([&seen](const resup::Progress &now) { seen = now.position; });
    upload.start();
    while (!upload.wait(std::chrono::milliseconds(10)))
        continue;
    std::cout << upload.id().value_or("") << '\n';

    resup::Upload again(client, file);
    again.set_name("windows.bin").run();
    const bool complete = again.state() == resup::State::complete;
    return complete && seen == again.size() && again.bytes_skipped() == seen ? 0 : 1;
} catch (const resup::Error &error) {
    std::cerr << error.what() << '\n';
    return 2;
}

int main()
{
    // By UTF-16, since argv has the characters of one code page only.
    wchar_t file[MAX_PATH];
    char url[MAX_PATH];
    if (!GetEnvironmentVariableA("RESUP_URL", url, MAX_PATH) || !GetEnvironmentVariableW(L"RESUP_FILE", file, MAX_PATH))
        return 3;
    return upload(url, file);
}
