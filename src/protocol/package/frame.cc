#include "protocol/package/frame.h"

#include <cstdint>

#include "base/assert.h"
#include "base/bytes.h"

namespace stormo {

PackageLength frameLength(std::string_view in, std::size_t frameBytesMax) {
  if (in.size() < kFrameHeaderBytes) return PackageLength::needMore();
  const std::size_t bytes = loadBigEndian<std::uint32_t>(in.data());
  if (bytes < kFrameHeaderBytes || bytes > frameBytesMax) return PackageLength::invalid();
  return in.size() < bytes ? PackageLength::needMore(bytes) : PackageLength::complete(bytes);
}

void encodeFrameHeader(std::size_t payloadBytes, char out[kFrameHeaderBytes]) {
  STORMO_ASSERT(payloadBytes <= kFramePayloadBytesMax);
  storeBigEndian(out, static_cast<std::uint32_t>(kFrameHeaderBytes + payloadBytes));
}

void appendFrame(std::string_view payload, std::string& out) {
  char header[kFrameHeaderBytes];
  encodeFrameHeader(payload.size(), header);
  out.append(header, sizeof header);
  out.append(payload);
}

}  // namespace stormo
