#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace stormo::websocket {

/// The opcodes of RFC 6455 5.2. The other ten are reserved.
enum class Opcode : std::uint8_t {
  Continuation = 0,
  Text = 1,
  Binary = 2,
  Close = 8,
  Ping = 9,
  Pong = 10,
};

/// Close, ping and pong: unfragmented, at most 125 bytes (RFC 6455 5.5).
[[nodiscard]] constexpr bool isControl(Opcode opcode) {
  return (static_cast<std::uint8_t>(opcode) & 0x8) != 0;
}

enum class Decode {
  Ok,
  NeedMore,       ///< Valid so far, but incomplete.
  ProtocolError,  ///< Violates RFC 6455: close with 1002.
  TooBig,         ///< The stated payload is above the limit: close with 1009.
};

/// Whether permessage-deflate was negotiated: then the first frame of a message may have RSV1,
/// which states that the message is compressed (RFC 7692 6). All other reserved bits are errors.
enum class Compression : std::uint8_t { Off, Negotiated };

/// The side that has sent a frame. A client masks all its frames, a server none (RFC 6455 5.1).
enum class Sender : std::uint8_t { Client, Server };

struct FrameHeader {
  bool fin = false;
  bool compressed = false;  ///< RSV1.
  bool masked = false;
  Opcode opcode = Opcode::Continuation;
  char mask[4] = {};
  std::uint64_t payloadBytes = 0;
  std::size_t headerBytes = 0;  ///< Offset of the payload from the header's first byte.
};

inline constexpr std::size_t kServerHeaderBytesMax = 10;
inline constexpr std::size_t kClientHeaderBytesMax = 14;
inline constexpr std::size_t kControlPayloadBytesMax = 125;

/// Parses one frame header of `sender` at the front of `in` (RFC 6455 5.2). Reports an error before
/// the header is complete, and gives the same verdict wherever the bytes are cut. `payloadBytesMax`
/// applies to data frames; a control frame has its own limit. Writes `out` only when Ok.
[[nodiscard]] Decode decodeHeader(std::string_view in, std::uint64_t payloadBytesMax,
                                  FrameHeader& out, Compression compression = Compression::Off,
                                  Sender sender = Sender::Client);

/// What is wrong with a header for which decodeHeader() returned ProtocolError: a literal, for the
/// reason of a close frame.
[[nodiscard]] const char* explainProtocolError(std::string_view header,
                                               Compression compression = Compression::Off,
                                               Sender sender = Sender::Client);

/// Writes an unmasked (server) header with FIN set, and RSV1 if `compressed`, into `out`, which has
/// room for kServerHeaderBytesMax bytes. Returns its length. The stated payload length is minimal
/// (RFC 6455 5.2).
inline std::size_t encodeHeader(Opcode opcode, std::uint64_t payloadBytes, char* out,
                                bool compressed = false) {
  out[0] = static_cast<char>((compressed ? 0xc0 : 0x80) | static_cast<std::uint8_t>(opcode));
  if (payloadBytes <= 125) {
    out[1] = static_cast<char>(payloadBytes);
    return 2;
  }
  if (payloadBytes <= 0xffff) {
    out[1] = 126;
    storeBigEndian(out + 2, static_cast<std::uint16_t>(payloadBytes));
    return 4;
  }
  out[1] = 127;
  storeBigEndian(out + 2, payloadBytes);
  return 10;
}

/// The same for a client: `out` has room for kClientHeaderBytesMax bytes. Mask the payload with
/// applyMask() or copyMasked().
std::size_t encodeMaskedHeader(Opcode opcode, std::uint64_t payloadBytes, const char mask[4],
                               char* out, bool compressed = false);

/// Masks or unmasks in place (RFC 6455 5.3). `phase` is the offset of data[0] in its payload.
void applyMask(char* data, std::size_t bytes, const char mask[4], std::size_t phase);

/// Writes the whole payload, masked, to `to`, which has room for as many bytes.
void copyMasked(std::string_view payload, const char mask[4], char* to);

// --- For load generators, and for clients in tests ---

/// One frame of a server: a whole message, a fragment of one, or a control frame.
struct ServerFrame {
  Opcode opcode = Opcode::Continuation;
  std::string_view payload = {};  ///< A view into the input.
  std::size_t bytes = 0;          ///< Length of the whole frame, with its header.
  bool fin = false;               ///< False: more fragments of the message follow (RFC 6455 5.4).
  bool compressed = false;        ///< RSV1 (RFC 7692 6).
};

/// Decodes the frame of a server at the front of `in` (RFC 6455 5.2), which must not be masked
/// (5.1). Copies and allocates nothing. Returns Ok once the whole frame is in `in`; rejects it as
/// soon as its header allows, without waiting for the payload. `payloadBytesMax` applies to data
/// frames; a control frame has at most 125 bytes (5.5). Checks neither the order of fragments (5.4)
/// nor the payload. Writes `out` only when Ok.
[[nodiscard]] Decode decodeServerFrame(std::string_view in, std::uint64_t payloadBytesMax,
                                       ServerFrame& out,
                                       Compression compression = Compression::Off);

/// explainProtocolError() for bytes that decodeServerFrame() rejected.
[[nodiscard]] inline const char* explainServerProtocolError(
    std::string_view in, Compression compression = Compression::Off) {
  return explainProtocolError(in, compression, Sender::Server);
}

/// The mask of the examples in RFC 6455 5.7. A client's mask must be unpredictable (5.3, 10.3): see
/// net::MaskKeys. Load generators and tests use this one.
inline constexpr char kExampleMask[4] = {0x37, '\xfa', 0x21, 0x3d};

/// Appends one frame of a client to `out`: a header with FIN set (RFC 6455 5.2), and the payload,
/// masked (5.3). Does not check that the payload of a control frame has at most 125 bytes (5.5), so
/// that tests can send invalid ones.
void appendClientFrame(Opcode opcode, std::string_view payload, const char mask[4],
                       std::string& out);

}  // namespace stormo::websocket
