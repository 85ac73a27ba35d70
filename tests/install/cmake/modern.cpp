// A program as the C++ binding's documentation has it.
#include <resup/resup.hpp>

#include <iostream>

int main(int argc, char **argv)
try {
    if (argc != 3)
        return 2;
    resup::Client client(argv[1]);
    resup::Upload upload(client, argv[2]);
    upload.on_progress([](const resup::Progress &now) { std::cerr << now.position << '\n'; });
#if __cplusplus >= 202002L
    std::stop_source stop;
    upload.run(stop.get_token());
#else
    upload.run();
#endif
    std::cout << "id=" << upload.id().value_or("none") << '\n';
} catch (const resup::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
