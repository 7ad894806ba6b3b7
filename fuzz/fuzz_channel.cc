// Both dialects of the Channel, in frames as a link reads them. What the Workerman decoder accepts
// is encoded to a message that decodes to the same, and so is a group message in it; what the
// Stormo decoder accepts is encoded to the same bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "protocol/channel/group_event.h"
#include "protocol/channel/packet.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"

namespace stormo::channel {
namespace {

void checkStormo(std::string_view frame) {
  Packet packet;
  if (decode(framePayload(frame), packet) != Decode::Ok) return;
  STORMO_ASSERT(encode(packet) == frame);
}

void checkGroupEvent(std::string_view data) {
  GroupEventScratch scratch;
  const auto event = readGroupEvent(data, scratch);
  if (!event) return;
  std::string written;
  appendGroupEvent(event->group, event->message.data, written);
  GroupEventScratch another;
  const auto again = readGroupEvent(written, another);
  STORMO_ASSERT(again && again->group == event->group);
  STORMO_ASSERT(again->message.data == event->message.data);
  STORMO_ASSERT(again->message.type == event->message.type);
}

void checkWorkerman(std::string_view payload) {
  WorkermanCommand command;
  if (decodeWorkerman(payload, command) != Decode::Ok) return;
  std::string written;
  encodeWorkerman(command, written);
  WorkermanCommand again;
  STORMO_ASSERT(decodeWorkerman(written, again) == Decode::Ok);
  STORMO_ASSERT(again.type == command.type && again.data == command.data);
  STORMO_ASSERT(std::ranges::equal(again.channels, command.channels));
  checkGroupEvent(command.data);
}

}  // namespace
}  // namespace stormo::channel

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  std::string_view in(reinterpret_cast<const char*>(data), size);
  while (true) {
    const PackageLength length = frameLength(in, 1 << 20);
    if (length.verdict != PackageLength::Verdict::Complete) return 0;
    const std::string_view frame = in.substr(0, length.bytes);
    if (channel::dialectOf(framePayload(frame)) == channel::Dialect::Stormo) {
      channel::checkStormo(frame);
    } else {
      channel::checkWorkerman(framePayload(frame));
    }
    in.remove_prefix(length.bytes);
  }
}
