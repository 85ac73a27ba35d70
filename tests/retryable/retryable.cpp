// Uploads FILE to URL once; prints the failure's code and whether another run may succeed.
#include <cstdint>
#include <iostream>

#include <resup/resup.hpp>

int main(int, char **argv)
{
    resup::Client client(argv[1]);
    client.set_retry_limit(0);
    resup::Upload upload(client, argv[2]);
    try {
        upload.run();
    } catch (const resup::Error &error) {
        std::cout << error.code().value() << ' ' << error.is_retryable() << '\n';
    }
}
