#include "server/group_server.h"

#include "sys/log.h"

namespace stormo::server {

GroupServer::GroupServer(Worker& worker, const Settings& settings, const std::string& channelUrl,
                         const channel::BusOptions& options)
    : worker_(worker),
      bus_(channel::makeBus(channelUrl, options)),
      interest_(*bus_),
      publishing_(worker, *bus_),
      context_{worker, settings, *bus_, interest_, publishing_},
      commandClients_(context_),
      v1Clients_(context_) {
  publishing_.onDone = [this](ConnectionId client, std::uint64_t request) {
    v1Clients_.onSent(client, request);
  };
  publishing_.onRefused = [this](ConnectionId client, std::uint64_t request) {
    request == 0 ? commandClients_.onRefused(client) : v1Clients_.onRefused(client, request);
  };
  bus_->onGroupMessage = [this](const GroupMessage& said) {
    commandClients_.onGroupMessage(said);
    v1Clients_.onGroupMessage(said);
  };
  bus_->onRepeat = [this](std::string_view group) { v1Clients_.tellPosition(group); };
  bus_->onConnect = [this] {
    checkLimits();
    v1Clients_.onChannel();
  };
  bus_->onRejected = [this](std::uint64_t number, std::string_view) {
    publishing_.onRejected(number);
  };
  bus_->onDrain = [this] { publishing_.onDrain(); };
  bus_->onAcknowledged = [this] { publishing_.onAcknowledged(); };
  bus_->onGap = [this] { onGap(); };
  bus_->connect();
}

void GroupServer::onWebSocketConnect(Connection& connection, const WebSocketHandshake& handshake) {
  if (handshake.subprotocol == v1::kSubprotocol) connection.state<Client>().speaksV1 = true;
}

void GroupServer::onMessage(Connection& connection, Message message) {
  Client* client = connection.stateOrNull<Client>();
  if (client != nullptr && client->speaksV1) {
    return v1Clients_.onMessage(connection, *client, message);
  }
  commandClients_.onMessage(connection, message);
}

void GroupServer::checkLimits() {
  const std::size_t needed = context_.settings.messageBytesMax + channel::kFrameOverheadBytesMax;
  if (bus_->frameBytesMax() >= needed) return;
  log::error(
      "this server accepts longer messages than its Channel, which will be refused "
      "message_bytes={} channel_bytes={} (start the Channel with --message-bytes {}, or this "
      "server with less)",
      context_.settings.messageBytesMax, bus_->frameBytesMax(), context_.settings.messageBytesMax);
}

void GroupServer::onGap() {
  worker_.forEachConnection([this](Connection& connection) {
    if (!commandClients_.isInGroups(connection) && !v1Clients_.isInGroups(connection)) return;
    connection.close(CloseCode::ServiceRestart, "messages were lost, join again");
  });
}

}  // namespace stormo::server
