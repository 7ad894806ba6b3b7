#pragma once

#include <string>
#include <string_view>

#include "protocol/websocket/frame.h"

namespace stormo::bench {

/// A frame as a server sends it. `first` is its first byte: FIN (0x80), reserved bits, opcode.
inline std::string serverFrame(int first, std::string_view payload) {
  char header[websocket::kServerHeaderBytesMax];
  const std::size_t bytes =
      websocket::encodeHeader(websocket::Opcode::Text, payload.size(), header);
  header[0] = static_cast<char>(first);
  return std::string(header, bytes).append(payload);
}

}  // namespace stormo::bench
