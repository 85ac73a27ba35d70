// Where the bytes come from.
#include "behaviour.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

// A stream that knows its size, and throws when it is read.
class Broken : public std::stringbuf {
  public:
    Broken() : std::stringbuf("a tape") {}

  protected:
    std::streamsize xsgetn(char *, std::streamsize) override { throw std::domain_error("the tape is torn"); }
};

// A stream of blocks that fails once, before the block in its middle.
class Interrupted : public std::streambuf {
  public:
    explicit Interrupted(std::string content) : bytes(std::move(content)) {}

  protected:
    int_type underflow() override
    {
        if (at >= bytes.size() / 2 && !has_failed) {
            has_failed = true;
            throw std::domain_error("the tape is torn");
        }
        if (at == bytes.size())
            return traits_type::eof();
        const std::size_t length = std::min<std::size_t>(1'000, bytes.size() - at);
        setg(&bytes[at], &bytes[at], &bytes[at] + length);
        at += length;
        return traits_type::to_int_type(*gptr());
    }

  private:
    std::string bytes;
    std::size_t at = 0;
    bool has_failed = false;
};

static void streams_are_uploaded(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    const auto path = make_file(setup, "streamed", 1'234'567);
    resup::Upload file(client, path);
    file.run();
    auto stream = std::make_unique<std::ifstream>(path, std::ios::binary);
    auto upload = resup::Upload::from_stream(client, "streamed too", std::move(stream));
    upload.run();
    CHECK(upload.digest() == file.digest() && upload.digest() && upload.size() == 1'234'567);
    note_stored(setup, upload, path);

    auto empty = resup::Upload::from_stream(client, "empty", std::make_unique<std::istringstream>());
    empty.set_digest_algorithm(resup::DigestAlgorithm::md5).run();
    CHECK(empty.digest() == empty.md5() && empty.md5() == "d41d8cd98f00b204e9800998ecf8427e");
}

static void streams_that_throw_at_their_end_are_uploaded(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    const auto path = make_file(setup, "strict", 200'000);
    std::ifstream file(path, std::ios::binary);
    auto stream = std::make_unique<std::stringstream>();
    *stream << file.rdbuf();
    stream->exceptions(std::ios::badbit | std::ios::failbit | std::ios::eofbit);
    auto upload = resup::Upload::from_stream(client, "strict", std::move(stream));
    upload.run();
    CHECK(upload.offset() == 200'000);
    note_stored(setup, upload, path);
}

static void streams_that_fail_end_the_upload(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    auto stream = std::make_unique<std::istream>(nullptr);
    Broken broken;
    stream->rdbuf(&broken);
    stream->exceptions(std::ios::badbit); // Else streams keep to themselves what their buffers throw.
    auto torn = resup::Upload::from_stream(client, "torn", std::move(stream));
    const auto error = catch_from<std::domain_error>([&] { torn.run(); });
    CHECK(std::string(error.what()) == "the tape is torn");

    auto closed = std::make_unique<std::ifstream>(setup.dir / "missing");
    auto upload = resup::Upload::from_stream(client, "closed", std::move(closed));
    const auto unread = catch_from<resup::Error>([&] { upload.run(); });
    CHECK(unread.code() == resup::Errc::source_io);
    auto none = resup::Upload::from_stream(client, "none", nullptr);
    CHECK(catch_from<resup::Error>([&] { none.run(); }).code() == std::errc::io_error);
}

static void streams_without_a_size_are_uploaded(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    const auto path = make_file(setup, "piped", 1'234'567);
    resup::Upload file(client, path);
    file.run();
    auto stream = std::make_unique<std::ifstream>(path, std::ios::binary);
    auto upload = resup::Upload::from_reader(client, "piped too", std::move(stream));
    bool was_unknown = false;
    upload.on_state([&](resup::State) { was_unknown |= upload.size() == RESUP_SIZE_UNKNOWN; });
    upload.set_segment_size(100'000).run();
    CHECK(was_unknown && upload.size() == 1'234'567 && upload.offset() == 1'234'567);
    CHECK(upload.digest() == file.digest() && upload.digest());
    note_stored(setup, upload, path);
}

static void a_stream_that_fails_loses_no_byte(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    const auto path = make_file(setup, "interrupted", 300'500);
    resup::Upload file(client, path);
    file.run();
    std::ostringstream content;
    content << std::ifstream(path, std::ios::binary).rdbuf();
    for (const bool throws : {true, false}) {
        Interrupted tape(content.str());
        auto stream = std::make_unique<std::istream>(nullptr);
        stream->rdbuf(&tape);
        if (throws)
            stream->exceptions(std::ios::badbit);
        auto upload = resup::Upload::from_reader(client, throws ? "torn once" : "bad once", std::move(stream));
        upload.set_segment_size(100'000);
        if (throws)
            catch_from<std::domain_error>([&] { upload.run(); });
        else
            CHECK(catch_from<resup::Error>([&] { upload.run(); }).code() == resup::Errc::source_io);
        upload.run();
        CHECK(upload.size() == 300'500 && upload.digest() == file.digest() && upload.digest());
    }
}

static void memory_is_uploaded(const Setup &setup)
{
    resup::Client client(setup.endpoint);
    auto upload = resup::Upload::from_memory(client, "text.txt", "abc");
    upload.set_digest_algorithm(resup::DigestAlgorithm::md5).run();
    CHECK(upload.md5() == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(catch_from<resup::Error>([&] { resup::Upload::from_memory(client, "", "abc"); }).code() ==
          resup::Errc::argument);
}

void sources(const Setup &setup)
{
    streams_are_uploaded(setup);
    streams_that_throw_at_their_end_are_uploaded(setup);
    streams_that_fail_end_the_upload(setup);
    streams_without_a_size_are_uploaded(setup);
    a_stream_that_fails_loses_no_byte(setup);
    memory_is_uploaded(setup);
}
