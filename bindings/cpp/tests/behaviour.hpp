// The tests of the C++ binding, each a function, and the servers and files that they use.
#ifndef BEHAVIOUR_HPP
#define BEHAVIOUR_HPP

#include <resup/resup.hpp>

#include <filesystem>
#include <string>

#include "check.hpp"

struct Given {
    std::string endpoint;       // of a receiver
    std::string forbidden;      // of a server that answers 403 with the message "not you"
    std::filesystem::path dir;  // for files, one of each size
    std::string page;           // of a server that answers everything with a web page
    std::string lost;           // of a server that answers the first locate well, and then with a web page
};

// A file of so many bytes, its name and content made of `name`.
std::filesystem::path made(const Given &given, const std::string &name, std::size_t size);

// What `work` throws; fails when it throws nothing or something else.
template <class Thrown, class Work> Thrown thrown_by(Work &&work)
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

void runs(const Given &given);
void throws(const Given &given);
void sources(const Given &given);
void threads(const Given &given);
void settings(const Given &given);
void error_codes(const Given &given);

#endif
