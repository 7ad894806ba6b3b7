#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "protocol/websocket/deflate.h"
#include "protocol/websocket/deflate_negotiation.h"

namespace stormo::net {

/// The zlib streams of all connections of a codec that compress without context takeover: a stream
/// keeps nothing from one message to the next. Each is made when it is first needed, and takes 40
/// to 256 KiB.
class DeflateStreams {
 public:
  /// For one message; valid until the next call.
  websocket::Inflater& inflater() {
    inflater_ ? inflater_->reset() : void(inflater_.emplace());
    return *inflater_;
  }

  /// For one message, with a window of 2^windowBits bytes, kWindowBitsMin to kWindowBitsMax; valid
  /// until the next call with the same window.
  websocket::Deflater& deflater(int windowBits) {
    auto& made = deflaters_.at(static_cast<std::size_t>(windowBits - websocket::kWindowBitsMin));
    made ? made->reset() : void(made.emplace(windowBits));
    return *made;
  }

 private:
  std::optional<websocket::Inflater> inflater_;
  std::array<std::optional<websocket::Deflater>,
             websocket::kWindowBitsMax - websocket::kWindowBitsMin + 1>
      deflaters_;
};

}  // namespace stormo::net
