#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "bench/stamp.h"
#include "protocol/websocket/frame.h"

namespace stormo::bench {

/// `text` with {group}, {message} and {bytes} (the message's length) replaced. The replacements are
/// not expanded again.
[[nodiscard]] std::string expand(std::string_view text, std::string_view group,
                                 std::string_view message);

/// Name of a group in a load test. All names have the same length.
[[nodiscard]] std::string groupName(std::size_t group);

/// One whole frame as a client sends it.
[[nodiscard]] std::string clientFrame(websocket::Opcode opcode, std::string_view payload);

/// The frame that one publisher sends repeatedly: a whole client frame of which only the stamp
/// changes.
class PublishFrame {
 public:
  /// `messageBytes`: at least kStampBytes; the message is padded to this length.
  PublishFrame(std::string_view publishText, std::string_view group, std::size_t messageBytes);

  /// Valid until the next call.
  [[nodiscard]] std::string_view stamped(const Stamp& stamp);

 private:
  std::string frame_;
  std::size_t stampAt_;     // in frame_
  std::size_t stampPhase_;  // of the mask
};

/// Maximum payload of a server's frame. No response to a load test is larger.
inline constexpr std::uint64_t kPayloadBytesMax = 16U << 20;

/// Throws std::runtime_error with the reason why readServerFrame() rejects `in`.
[[noreturn]] void rejectServerFrame(websocket::Decode verdict, std::string_view in);

/// Reads the message or control frame at the front of `in`; see websocket::decodeServerFrame().
/// Returns false if it is incomplete. Throws std::runtime_error if it violates RFC 6455 5.2, is
/// larger than kPayloadBytesMax, or is a fragment: a message is stamped and counted as one frame.
[[nodiscard]] inline bool readServerFrame(std::string_view in, websocket::ServerFrame& out) {
  const auto verdict = websocket::decodeServerFrame(in, kPayloadBytesMax, out);
  if (verdict == websocket::Decode::NeedMore) return false;
  const bool isFragment = !out.fin || out.opcode == websocket::Opcode::Continuation;
  if (verdict != websocket::Decode::Ok || isFragment) rejectServerFrame(verdict, in);
  return true;
}

}  // namespace stormo::bench
