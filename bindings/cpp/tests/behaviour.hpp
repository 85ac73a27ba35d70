// The tests of the C++ binding, each a function, and the servers and files that they use.
#ifndef BEHAVIOUR_HPP
#define BEHAVIOUR_HPP

#include <resup/resup.hpp>

#include <filesystem>
#include <string>

#include "check.hpp"

struct Setup {
    std::string endpoint;       // of a receiver
    std::string forbidden;      // of a server that answers 403 with the message "not you"
    std::filesystem::path dir;  // for the files to upload
    std::string page;           // of a server that answers everything with a web page
    std::string lost;           // of a server that answers the first locate well, and then with a web page
};

// Makes a file of `size` bytes; its content depends on the length of its name.
std::filesystem::path make_file(const Setup &setup, const std::string &name, std::size_t size);

// Has the server's file of an upload compared with `path`, once the program has ended.
void note_stored(const Setup &setup, const resup::Upload &upload, const std::filesystem::path &path);

// Returns what `work` throws; fails when it throws nothing or something else.
template <class Thrown, class Work> Thrown catch_from(Work &&work)
{
    try {
        work();
    } catch (const Thrown &thrown) {
        return thrown;
    }
    const bool something_was_thrown = false;
    CHECK(something_was_thrown);
    std::abort();
}

void runs(const Setup &setup);
void throws(const Setup &setup);
void sources(const Setup &setup);
void threads(const Setup &setup);
void settings(const Setup &setup);
void error_codes(const Setup &setup);

#endif
