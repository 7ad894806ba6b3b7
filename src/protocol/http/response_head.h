#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace stormo {

/// How the end of a response is marked (RFC 9112 6.3).
enum class ResponseFraming : std::uint8_t {
  Length,   ///< Content-Length.
  Chunked,  ///< For HTTP/1.1.
  Close,    ///< By the end of the connection.
  None,     ///< There is no body, and no length: 204 and 304.
};

/// What the library decides about the head of a response.
struct ResponseHead {
  int status = 200;
  ResponseFraming framing = ResponseFraming::Length;
  std::uint64_t bodyBytes = 0;        ///< With ResponseFraming::Length.
  std::string_view contentType = {};  ///< Empty: `headers` has one, or there is none.
  std::string_view connection = {};   ///< "close", "keep-alive"; empty: the header is left out.
  std::string_view date;
  std::string_view headers = {};  ///< Lines with their ends, from appendHeaderLine().
};

/// Appends a whole head (RFC 9112 4), with the empty line.
void appendResponseHead(const ResponseHead& head, std::string& out);

/// Appends one header field. See complaintOfResponseHeader().
void appendHeaderLine(std::string_view name, std::string_view value, std::string& out);

/// Why a program cannot add that header to a response: a literal that continues "the header 'X' …";
/// null if it can.
[[nodiscard]] const char* complaintOfResponseHeader(std::string_view name, std::string_view value);

/// Appends what goes before the bytes of a chunk, which are at least one (RFC 9112 7.1).
void appendChunkSize(std::size_t bytes, std::string& out);
inline constexpr std::string_view kChunkEnd = "\r\n";
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

/// True if a response with that status never has a body (RFC 9110 6.4.1).
[[nodiscard]] constexpr bool isBodiless(int status) { return status == 204 || status == 304; }

/// A time as the header Date has it (RFC 9110 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string httpDate(std::time_t time);

}  // namespace stormo
