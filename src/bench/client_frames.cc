#include "bench/client_frames.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace stormo::bench {
namespace {

constexpr char kMask[4] = {0x37, '\xfa', 0x21, 0x3d};  // from the examples of RFC 6455
constexpr std::uint64_t kFrameBytesMax = 16U << 20;

// Throws unless this is a whole message or a control frame. A message is stamped and counted as one
// frame.
void checkFirstByte(std::uint8_t first) {
  switch (first) {
    case 0x81:
    case 0x82:
    case 0x88:
    case 0x89:
    case 0x8a:
      return;
    case 0x00:
    case 0x01:
    case 0x02:
    case 0x80:
      throw std::runtime_error("the server sent a message in fragments");
    default:
      throw std::runtime_error("the server sent a frame with an unknown opcode or reserved bits");
  }
}

}  // namespace

std::string expand(std::string_view text, std::string_view group, std::string_view message) {
  const std::string bytes = std::to_string(message.size());
  const std::pair<std::string_view, std::string_view> values[] = {
      {"{group}", group}, {"{message}", message}, {"{bytes}", bytes}};
  std::string expanded;
  while (!text.empty()) {
    std::string_view taken = text.substr(0, 1);
    std::string_view put = taken;
    for (const auto& [name, value] : values) {
      if (!text.starts_with(name)) continue;
      taken = name;
      put = value;
    }
    expanded += put;
    text.remove_prefix(taken.size());
  }
  return expanded;
}

std::string groupName(std::size_t group) { return fmt::format("g{:06}", group); }

std::string clientFrame(websocket::Opcode opcode, std::string_view payload) {
  std::string frame(websocket::kClientHeaderBytesMax, '\0');
  frame.resize(websocket::encodeMaskedHeader(opcode, payload.size(), kMask, frame.data()));
  const std::size_t headerBytes = frame.size();
  frame += payload;
  websocket::applyMask(frame.data() + headerBytes, payload.size(), kMask, 0);
  return frame;
}

PublishFrame::PublishFrame(std::string_view publishText, std::string_view group,
                           std::size_t messageBytes) {
  std::string message(messageBytes, 'x');
  writeStamp({}, message.data());
  const std::string payload = expand(publishText, group, message);
  frame_ = clientFrame(websocket::Opcode::Text, payload);
  stampPhase_ = payload.find(message);
  stampAt_ = frame_.size() - payload.size() + stampPhase_;
}

std::string_view PublishFrame::stamped(const Stamp& stamp) {
  writeStamp(stamp, frame_.data() + stampAt_);
  websocket::applyMask(frame_.data() + stampAt_, kStampBytes, kMask, stampPhase_);
  return frame_;
}

bool readServerFrame(std::string_view in, ServerFrame& out) {
  if (in.empty()) return false;
  const auto first = static_cast<std::uint8_t>(in[0]);
  checkFirstByte(first);
  if (in.size() < 2) return false;
  const auto second = static_cast<std::uint8_t>(in[1]);
  if ((second & 0x80) != 0) throw std::runtime_error("the server sent a masked frame");
  std::size_t headerBytes = 2;
  std::uint64_t payloadBytes = second;
  if (second >= 126) {
    headerBytes = second == 126 ? 4 : 10;
    if (in.size() < headerBytes) return false;
    payloadBytes = second == 126 ? loadBigEndian<std::uint16_t>(in.data() + 2)
                                 : loadBigEndian<std::uint64_t>(in.data() + 2);
  }
  if (payloadBytes > kFrameBytesMax)
    throw std::runtime_error("the server sent a frame over 16 MiB");
  if (in.size() < headerBytes + payloadBytes) return false;
  out.opcode = static_cast<websocket::Opcode>(first & 0x0f);
  out.payload = in.substr(headerBytes, payloadBytes);
  out.bytes = headerBytes + out.payload.size();
  return true;
}

}  // namespace stormo::bench
