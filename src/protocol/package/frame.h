#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/package/package_length.h"

namespace stormo {

/// Workerman's `frame` protocol: a big-endian 32-bit total length, which includes itself, then the
/// payload.
inline constexpr std::size_t kFrameHeaderBytes = 4;
inline constexpr std::size_t kFramePayloadBytesMax = 0xffff'ffff - kFrameHeaderBytes;

/// Measures the frame at the front of `in`. Invalid as soon as the four bytes are there: a length
/// below 4, or above `frameBytesMax` (which counts the four bytes, too).
[[nodiscard]] PackageLength frameLength(std::string_view in, std::size_t frameBytesMax);

/// The first of several complete frames.
[[nodiscard]] inline std::string_view firstFrame(std::string_view frames) {
  return frames.substr(0, frameLength(frames, frames.size()).bytes);
}

/// The payload of one complete frame, a view into it.
[[nodiscard]] inline std::string_view framePayload(std::string_view frame) {
  return frame.substr(kFrameHeaderBytes);
}

/// Writes the header of a frame with a payload of `payloadBytes`, at most kFramePayloadBytesMax.
void encodeFrameHeader(std::size_t payloadBytes, char out[kFrameHeaderBytes]);

/// Appends a complete frame.
void appendFrame(std::string_view payload, std::string& out);

}  // namespace stormo
