// Uploads through the C++ binding, against a receiver: ENDPOINT FORBIDDEN DIR PAGE LOST.
#include "behaviour.hpp"

#include <fstream>

std::filesystem::path make_file(const Setup &setup, const std::string &name, std::size_t size)
{
    std::filesystem::path path = setup.dir / std::filesystem::u8path(name);
    std::ofstream file(path, std::ios::binary);
    for (std::size_t i = 0; i < size; ++i)
        file.put(static_cast<char>(i * 31 + name.size() + i / 251));
    CHECK(file.good());
    return path;
}

void note_stored(const Setup &setup, const resup::Upload &upload, const std::filesystem::path &path)
{
    const auto id = upload.id();
    CHECK(id);
    std::ofstream list(setup.dir / "stored", std::ios::app);
    // In C++20 it is made of char8_t.
    const auto name = path.filename().u8string();
    list << *id << ' ' << reinterpret_cast<const char *>(name.c_str()) << '\n';
    CHECK(list.good());
}

int main(int argc, char **argv)
{
    CHECK(argc == 6);
    const Setup setup{argv[1], argv[2], std::filesystem::u8path(argv[3]), argv[4], argv[5]};
    runs(setup);
    throws(setup);
    sources(setup);
    threads(setup);
    settings(setup);
    error_codes(setup);
    std::puts("all of it");
}
