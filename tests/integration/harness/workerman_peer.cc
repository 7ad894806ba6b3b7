#include "integration/harness/workerman_peer.h"

#include <stdexcept>
#include <vector>

#include "base/bytes.h"
#include "protocol/channel/workerman_command.h"
#include "protocol/package/frame.h"
#include "protocol/php/serialize.h"

namespace stormo::integration {
namespace {

using channel::CommandType;

std::string encoded(CommandType type, const std::vector<std::string_view>& channels,
                    const Value* data = nullptr) {
  std::string serialized;
  if (data != nullptr) php::serialize(*data, serialized);
  std::string payload;
  channel::encodeWorkerman(type, channels, serialized, payload);
  return payload;
}

}  // namespace

void WorkermanPeer::subscribe(std::initializer_list<std::string_view> channels) {
  sendFrame(encoded(CommandType::Subscribe, channels));
}

void WorkermanPeer::publish(std::string_view channel, const Value& data) {
  sendFrame(encoded(CommandType::Publish, {channel}, &data));
}

void WorkermanPeer::watch(std::string_view queue) {
  sendFrame(encoded(CommandType::Watch, {queue}));
}

void WorkermanPeer::reserve() { sendFrame(encoded(CommandType::Reserve, {})); }

void WorkermanPeer::enqueue(std::string_view queue, const Value& data) {
  sendFrame(encoded(CommandType::Enqueue, {queue}, &data));
}

void WorkermanPeer::sendFrame(const std::string& payload) {
  std::string frame;
  appendFrame(payload, frame);
  tcp_.send(frame);
}

WorkermanPeer::Event WorkermanPeer::next() {
  const std::string head = tcp_.readExactly(kFrameHeaderBytes);
  const std::string payload =
      tcp_.readExactly(loadBigEndian<std::uint32_t>(head.data()) - kFrameHeaderBytes);
  channel::WorkermanCommand command;
  if (channel::decodeWorkerman(payload, command) != channel::Decode::Ok ||
      command.channels.size() != 1) {
    throw std::runtime_error("the Channel sent something else than an event or a job: " + payload);
  }
  std::size_t consumed = 0;
  auto data = php::unserialize(command.data, consumed);
  if (!data) throw std::runtime_error("the Channel sent data that is none: " + payload);
  return {std::string(command.channels.front()), std::move(*data)};
}

}  // namespace stormo::integration
