#pragma once

#include <optional>

#include "protocol/websocket/deflate.h"

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

 private:
  std::optional<websocket::Inflater> inflater_;
};

}  // namespace stormo::net
