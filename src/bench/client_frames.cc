#include "bench/client_frames.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

namespace stormo::bench {

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
  std::string frame;
  websocket::appendClientFrame(opcode, payload, websocket::kExampleMask, frame);
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
  websocket::applyMask(frame_.data() + stampAt_, kStampBytes, websocket::kExampleMask, stampPhase_);
  return frame_;
}

void rejectServerFrame(websocket::Decode verdict, std::string_view in) {
  switch (verdict) {
    case websocket::Decode::ProtocolError:
      throw std::runtime_error(fmt::format("the server sent an invalid frame: {}",
                                           websocket::explainServerProtocolError(in)));
    case websocket::Decode::TooBig:
      throw std::runtime_error("the server sent a frame over 16 MiB");
    default:
      throw std::runtime_error("the server sent a message in fragments");
  }
}

}  // namespace stormo::bench
