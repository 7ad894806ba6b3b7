#include <fmt/format.h>
#include <stormo/channel.h>
#include <stormo/group_server.h>
#include <stormo/log.h>
#include <stormo/worker.h>

#include <chrono>

#include "protocol/channel/packet.h"
#include "server/access_control.h"
#include "server/command_clients.h"
#include "server/group_publisher.h"
#include "server/server_context.h"
#include "server/v1_clients.h"

namespace stormo {

struct GroupServer::Impl final : channel::Listener {
  Impl(GroupServer& owner, Worker& worker, Channel& channel, const GroupServerOptions& options)
      : publisher(worker, channel),
        access(worker, options.access),
        context{owner, worker, channel, options, publisher, access},
        commandClients(context),
        v1Clients(context) {
    publisher.onDone = [this](ConnectionId client, std::uint64_t request) {
      v1Clients.onSent(client, request);
    };
    publisher.onRefused = [this](ConnectionId client, std::uint64_t request) {
      request == 0 ? commandClients.onRefused(client) : v1Clients.onRefused(client, request);
    };
    access.onExpiring = [this](Connection& client, std::chrono::seconds left) {
      isOfV1(client) ? v1Clients.onExpiring(client, left) : commandClients.onExpiring(client, left);
    };
    access.onUnknownKey = [&owner] { return owner.onUnknownKey && owner.onUnknownKey(); };
    access.onOpenAgain = [&owner](Connection& client) { owner.onWebSocketOpen(client); };
    access.onMessageAgain = [&owner](Connection& client, Message message) {
      owner.onMessage(client, message);
    };
    channel.addListener(*this);
  }
  ~Impl() { context.channel.removeListener(*this); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void onGroupMessage(const GroupMessage& message) override { v1Clients.onGroupMessage(message); }
  void onConnect() override { checkLimits(); }
  void onDrain() override { publisher.onDrain(); }
  void onAcknowledged() override { publisher.onAcknowledged(); }
  void onRejected(std::uint64_t number, std::string_view) override { publisher.onRejected(number); }
  void onGap() override {  // commandClients' groups do it themselves
    context.worker.forEachConnection([this](Connection& client) {
      if (!v1Clients.isInGroups(client)) return;
      client.close(CloseCode::ServiceRestart, "messages were lost, join again");
    });
  }

  static bool isOfV1(Connection& client) {
    const auto* const state = client.stateOrNull<server::ClientState>();
    return state != nullptr && state->speaksV1;
  }

  /// Reports a Channel that accepts less than the clients may send.
  void checkLimits() const {
    const std::size_t messageBytes =
        context.worker.maxPackageSize.value_or(Protocol::websocket().maxPackageSize);
    const std::size_t channelBytes = context.channel.frameBytesMax();
    if (channelBytes >= messageBytes + channel::kFrameOverheadBytesMax) return;
    log::error(fmt::format(
        "this server accepts longer messages than its Channel, which will be refused "
        "message_bytes={} channel_bytes={} (start the Channel with --message-bytes {}, or this "
        "server with less)",
        messageBytes, channelBytes, messageBytes));
  }

  server::GroupPublisher publisher;
  server::AccessControl access;
  const server::ServerContext context;
  server::CommandClients commandClients;
  server::V1Clients v1Clients;
};

GroupServer::GroupServer(Worker& worker, Channel& channel, GroupServerOptions options)
    : impl_(std::make_unique<Impl>(*this, worker, channel, options)) {
  worker.websocket.subprotocols.emplace_back(v1::kSubprotocol);
  worker.onWebSocketConnect = [this](Connection& client, WebSocketHandshake& handshake) {
    onWebSocketConnect(client, handshake);
  };
  worker.onWebSocketOpen = [this](Connection& client) { onWebSocketOpen(client); };
  worker.onMessage = [this](Connection& client, Message message) { onMessage(client, message); };
  worker.onClose = [this](Connection& client) { onClose(client); };
  worker.hasRoom = [this] { return hasRoom(); };
}

GroupServer::~GroupServer() = default;

PublishStatus GroupServer::send(std::string_view group, Message message) {
  return impl_->context.channel.publishToGroup(group, message);
}

void GroupServer::setKeys(const std::vector<TokenKey>& keys) { impl_->access.setKeys(keys); }

void GroupServer::keepKeys() { impl_->access.endKeySearch(); }

void GroupServer::onWebSocketConnect(Connection& client, WebSocketHandshake& handshake) {
  impl_->access.onHandshake(client, handshake);
  if (handshake.subprotocol != v1::kSubprotocol) return;
  client.state<server::ClientState>().speaksV1 = true;
}

void GroupServer::onWebSocketOpen(Connection& client) {
  const access::Token* const token = impl_->access.onOpen(client);
  if (token == nullptr) return;
  if (Impl::isOfV1(client)) {
    impl_->v1Clients.welcome(client, *token);
  } else {
    impl_->commandClients.joinGroupsOf(client);
  }
}

void GroupServer::onMessage(Connection& client, Message message) {
  auto* state = client.stateOrNull<server::ClientState>();
  if (state != nullptr && state->speaksV1) {
    impl_->v1Clients.onMessage(client, *state, message);
  } else {
    impl_->commandClients.onMessage(client, message);
  }
}

void GroupServer::onClose(Connection& client) {
  impl_->context.leftAll(client);
  impl_->access.onClose(client);
}

bool GroupServer::hasRoom() const { return impl_->publisher.hasRoom(); }

}  // namespace stormo
