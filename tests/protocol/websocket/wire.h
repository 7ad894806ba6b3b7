#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/websocket/decoder.h"
#include "protocol/websocket/frame.h"

namespace stormo::websocket::wire {

inline std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

/// A client's frame. `first` is its first byte: 0x80 for FIN, reserved bits, opcode.
inline std::string frame(int first, std::string_view payload) {
  std::string out;
  appendClientFrame(Opcode::Text, payload, kExampleMask, out);
  out[0] = static_cast<char>(first);
  return out;
}

/// A server's frame. `first` as above.
inline std::string serverFrame(int first, std::string_view payload) {
  char header[kServerHeaderBytesMax];
  const std::size_t headerBytes = encodeHeader(Opcode::Text, payload.size(), header);
  header[0] = static_cast<char>(first);
  return std::string(header, headerBytes).append(payload);
}

/// A close frame with that code and reason.
inline std::string closeFrame(int code, std::string_view reason = {}) {
  return frame(0x88, bytes({code >> 8, code & 0xff}) + std::string(reason));
}

/// An event with its own copy of the bytes.
struct Seen {
  Event event;
  bool binary = false;
  std::string payload = {};
  int code = 0;
  bool operator==(const Seen&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  constexpr const char* kNames[] = {"NeedMore", "Fragment", "Message",  "Ping",
                                    "Pong",     "Close",    "Violation"};
  return out << kNames[static_cast<int>(seen.event)] << (seen.binary ? " binary" : "") << " code "
             << seen.code << " '" << seen.payload.substr(0, 80) << "' of " << seen.payload.size();
}

inline Seen text(std::string payload) { return {Event::Message, false, std::move(payload)}; }
inline Seen binary(std::string payload) { return {Event::Message, true, std::move(payload)}; }
inline Seen ping(std::string payload) { return {Event::Ping, false, std::move(payload)}; }
inline Seen pong(std::string payload) { return {Event::Pong, false, std::move(payload)}; }
inline Seen close(int code, std::string reason = {}) {
  return {Event::Close, false, std::move(reason), code};
}
inline Seen violation(int code) { return {Event::Violation, false, {}, code}; }

/// Reads a stream in pieces, each in its own memory, which is freed before the next piece.
class Reader {
 public:
  explicit Reader(std::uint64_t messageBytesMax = 1 << 20) : limits_{messageBytesMax} {}

  /// Replace the decoder whenever it is at rest, as a server does for idle connections.
  Reader& frugal() {
    frugal_ = true;
    return *this;
  }

  /// The stream is a server's.
  Reader& ofServer() {
    limits_.sender = Sender::Server;
    return *this;
  }

  Reader& read(std::string_view piece) {
    const std::unique_ptr<char[]> memory(new char[piece.size()]);
    std::copy(piece.begin(), piece.end(), memory.get());
    std::span<char> in(memory.get(), piece.size());
    while (!ended_) {
      const Decoded decoded = decoder_.next(in, limits_);
      if (decoded.event == Event::NeedMore) {
        leftBytes_ += in.size();
        break;
      }
      if (decoded.event == Event::Fragment) continue;
      const bool hasCode = decoded.event == Event::Close || decoded.event == Event::Violation;
      seen_.push_back({decoded.event, decoded.binary, std::string(decoded.payload),
                       hasCode ? static_cast<int>(decoded.code) : 0});
      reason_ = decoded.reason;
      ended_ = hasCode;
      if (frugal_ && decoder_.atRest()) decoder_ = Decoder();
    }
    if (frugal_ && decoder_.atRest()) decoder_ = Decoder();
    return *this;
  }

  const std::vector<Seen>& seen() const { return seen_; }
  std::string reason() const { return reason_; }
  bool atRest() const { return decoder_.atRest(); }
  std::size_t leftBytes() const { return leftBytes_; }

 private:
  Limits limits_;
  Decoder decoder_;
  std::vector<Seen> seen_;
  std::string reason_;
  std::size_t leftBytes_ = 0;
  bool ended_ = false;
  bool frugal_ = false;
};

}  // namespace stormo::websocket::wire
