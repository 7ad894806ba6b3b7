// The broker's part of Workerman's dialect.
#include "channel/server/broker.h"
#include "protocol/package/frame.h"

namespace stormo::channel {

void Broker::onCommand(net::ConnectionImpl& connection, Link& link, std::string_view payload) {
  if (decodeWorkerman(payload, command_) != Decode::Ok)
    return violation(connection, command_.reason);
  const auto forEach = [this](auto act) {
    for (const std::string_view name : command_.channels) act(name);
  };
  switch (command_.type) {
    case CommandType::Publish:
    case CommandType::PublishLoop:
      return forEach([&](std::string_view event) {
        publish(connection, link,
                {.kind = Kind::Publish,
                 .loop = command_.type == CommandType::PublishLoop,
                 .channel = event,
                 .payload = command_.data});
      });
    case CommandType::Enqueue:
      return forEach([&](std::string_view queue) { enqueue(connection, link, queue); });
    case CommandType::Subscribe:
      return forEach([&](std::string_view event) {
        subscribe(connection, Dialect::Workerman, Space::Events, event);
      });
    case CommandType::Unsubscribe:
      if (defers(connection, link, payload)) return;
      return forEach([&](std::string_view event) {
        unsubscribe(connection, Dialect::Workerman, Space::Events, event);
      });
    case CommandType::Watch:
      return forEach([&](std::string_view queue) { watch(connection, link, queue); });
    case CommandType::Unwatch:
      return forEach([&](std::string_view queue) { consumers_.unwatch(link.consumer, queue); });
    case CommandType::Reserve:
      if (defers(connection, link, payload)) return;
      // A PHP process asks for the next job when it has done one.
      consumers_.finishOldest(link.consumer);
      return consumers_.reserve(link.consumer);
    case CommandType::Ping:
      return;
    case CommandType::Event:
    case CommandType::Queue:
      return violation(connection, "a packet that only the server sends");
  }
}

void Broker::enqueue(net::ConnectionImpl& connection, Link& link, std::string_view queue) {
  const std::string_view data = command_.data;
  if (isQueueFull(queue, data.size())) return;
  publish(connection, link, {.kind = Kind::Enqueue, .channel = queue, .payload = data});
  jobAdmission_.added(queue, data.size(), journal_.added());
}

void Broker::publish(net::ConnectionImpl& connection, Link& link, const Packet& publish) {
  scratch_.clear();
  encode(publish, scratch_);
  journal_.addPublish(link.acks, connection, 0, 0, framePayload(scratch_));
}

}  // namespace stormo::channel
