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

/// One frame of a server, unmasked.
struct ServerFrame {
  websocket::Opcode opcode;
  std::string_view payload;
  std::size_t bytes;  ///< Length of the whole frame.
};

/// Reads the frame at the front of `in`. False if it is incomplete. Throws std::runtime_error, as
/// early as possible, if the frame is a fragment of a message, violates RFC 6455 5.2, or is larger
/// than any response to a load test.
[[nodiscard]] bool readServerFrame(std::string_view in, ServerFrame& out);

}  // namespace stormo::bench
