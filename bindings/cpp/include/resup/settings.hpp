/**
 * @file settings.hpp
 * @brief The values that settings take.
 * @copyright MIT OR Apache-2.0
 */
#ifndef RESUP_SETTINGS_HPP
#define RESUP_SETTINGS_HPP

#include <resup.h>

#include <cstdint>

namespace resup {

/** @brief How important a line of the log is. */
enum class LogLevel : std::int32_t {
    error = RESUP_LOG_ERROR, ///< An upload has failed.
    warn = RESUP_LOG_WARN,   ///< Something unusual happened, and the upload goes on.
    info = RESUP_LOG_INFO,   ///< The course of an upload.
    debug = RESUP_LOG_DEBUG  ///< Every step.
};

/** @brief The protocol between a client and its server. */
enum class Protocol : std::int32_t {
    automatic = RESUP_PROTOCOL_AUTO, ///< The one that the server speaks, by its first response. The default.
    form = RESUP_PROTOCOL_FORM,      ///< Form resume, the protocol of docs/PROTOCOL.md.
    tus = RESUP_PROTOCOL_TUS,        ///< tus 1.0.
    ietf = RESUP_PROTOCOL_IETF,      ///< The IETF's resumable uploads.
    dav = RESUP_PROTOCOL_DAV,        ///< WebDAV: a collection's URL, with a slash at its end, or a file's.
    session = RESUP_PROTOCOL_SESSION ///< Sessions (308): Google Cloud Storage, uploadx, OneDrive.
};

/** @brief How the server is asked for its offset. */
enum class LocateMethod : std::int32_t {
    post = RESUP_LOCATE_POST, ///< By POST, which no cache answers.
    get = RESUP_LOCATE_GET    ///< By GET, with the fields in the query.
};

/** @brief How forms are signed. */
enum class SigningAlgorithm : std::int32_t {
    hmac_sha256 = RESUP_SIGNING_HMAC_SHA256, ///< HMAC-SHA-256.
    hmac_md5 = RESUP_SIGNING_HMAC_MD5        ///< HMAC-MD5, for old servers that can do nothing else.
};

/** @brief Whose root certificates are trusted. */
enum class Trust : std::int32_t {
    system = RESUP_TRUST_SYSTEM,  ///< The operating system's.
    bundled = RESUP_TRUST_BUNDLED ///< Mozilla's, as they were when the library was built.
};

/** @brief How file names are written into forms. */
enum class FilenameStyle : std::int32_t {
    whatwg = RESUP_FILENAME_WHATWG,  ///< As browsers do.
    rfc8187 = RESUP_FILENAME_RFC8187 ///< A second time, as `filename*`.
};

/** @brief Whether and when the digest of the file is computed. */
enum class Digest : std::int32_t {
    none = RESUP_DIGEST_NONE,         ///< Never: then nothing is compared. Only with DigestAlgorithm::automatic.
    one_pass = RESUP_DIGEST_ONE_PASS, ///< While the file is sent. The default.
    first = RESUP_DIGEST_FIRST        ///< Before the first request: a server that has the content gets no byte.
};

/** @brief The algorithm of the digest. */
enum class DigestAlgorithm : std::int32_t {
    automatic = RESUP_DIGEST_ALGORITHM_AUTOMATIC, ///< The best one that both sides have. The default.
    blake3 = RESUP_DIGEST_ALGORITHM_BLAKE3,       ///< BLAKE3 with 256 bits, the fastest.
    sha256 = RESUP_DIGEST_ALGORITHM_SHA256,       ///< SHA-256.
    md5 = RESUP_DIGEST_ALGORITHM_MD5              ///< MD5, which every server has; against accidents only.
};

} // namespace resup

#endif
