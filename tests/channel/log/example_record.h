#pragma once

#include <string>

#include "channel/log/record.h"
#include "protocol/channel/packet.h"
#include "protocol/package/frame.h"

namespace stormo::test {

/// The record of the documents' examples: the text `ciao` to the group `123`.
inline std::string exampleRecord() {
  const std::string frame = channel::encode({.kind = channel::Kind::Publish,
                                             .payloadKind = channel::PayloadKind::Text,
                                             .space = channel::Space::Groups,
                                             .sequence = 1,
                                             .channel = "123",
                                             .payload = "ciao"});
  std::string record;
  channel::appendRecord(
      {.time = 1764170000123, .producerId = 0x0123456789abcdef, .packet = framePayload(frame)},
      record);
  return record;
}

}  // namespace stormo::test
