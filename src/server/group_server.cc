#include <fmt/format.h>
#include <stormo/channel.h>
#include <stormo/group_server.h>
#include <stormo/log.h>
#include <stormo/worker.h>

#include <chrono>
#include <memory>
#include <utility>

#include "access/client_id.h"
#include "protocol/channel/client_name.h"
#include "protocol/channel/packet.h"
#include "server/access_control.h"
#include "server/backend_desk.h"
#include "server/command_clients.h"
#include "server/control.h"
#include "server/group_publisher.h"
#include "server/questions.h"
#include "server/server_context.h"
#include "server/v1_clients.h"

namespace stormo {

struct GroupServer::Impl final : channel::Listener {
  Impl(GroupServer& owner, Worker& worker, Channel& channel, const GroupServerOptions& options)
      : publisher(worker, channel),
        access(worker, options.access),
        audiences(worker, access),
        context{owner, worker, channel, options, publisher, access, audiences},
        commandClients(context),
        v1Clients(context),
        backend(context, commandClients, v1Clients),
        questions(context, commandClients, v1Clients) {
    publisher.onDone = [this](ConnectionId client, std::uint64_t request) {
      v1Clients.onSent(client, request);
    };
    publisher.onRefused = [this](ConnectionId client, std::uint64_t request) {
      request == 0 ? commandClients.onRefused(client) : v1Clients.onRefused(client, request);
    };
    access.onExpiring = [this](Connection& client, std::chrono::seconds left) {
      server::isOfV1(client) ? v1Clients.onExpiring(client, left)
                             : commandClients.onExpiring(client, left);
    };
    access.isRevoked = [this](const access::Token& token, access::UnixSeconds now) {
      return backend.isRevoked(token, now);
    };
    access.onUnknownKey = [&owner] { return owner.onUnknownKey && owner.onUnknownKey(); };
    access.onOpenAgain = [&owner](Connection& client) { owner.onWebSocketOpen(client); };
    access.onMessageAgain = [&owner](Connection& client, Message message) {
      owner.onMessage(client, message);
    };
    channel.addListener(*this);
    // The Channel outlives this, and its loop may have ended before.
    channel.subscribe(server::kControlEvent, [self = self](const Value& data) {
      if (*self != nullptr) (*self)->backend.onCommand(data);
    });
    channel.subscribe(server::kRevocationEvent, [self = self](const Value& data) {
      if (*self != nullptr) (*self)->backend.onRevocation(data);
    });
    channel.respond(server::kQuestionEvent,
                    [self = self](const Value& question, const Channel::Responder& reply) {
                      if (*self != nullptr) reply((*self)->questions.answer(question));
                    });
    channel.subscribeGroup(Audience::everybody().channelName());
  }
  ~Impl() {
    *self = nullptr;
    context.channel.removeListener(*this);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void onGroupMessage(const GroupMessage& message) override {
    if (isReservedName(message.group)) return onAudienceMessage(message);
    commandClients.onGroupMessage(message);
    v1Clients.onGroupMessage(message);
  }
  void onAudienceMessage(const GroupMessage& message) {
    if (channel::isClientName(message.group)) return onClientMessage(message);
    commandClients.onAudienceMessage(message);
    v1Clients.onGroupMessage(message);
  }
  void onClientMessage(const GroupMessage& message) {
    const auto audience = Audience::ofName(message.group);
    Connection* const client = audience ? audiences.clientOf(audience->id()) : nullptr;
    if (client == nullptr || server::Audiences::isExcepted(*client, message.except)) return;
    server::isOfV1(*client) ? v1Clients.deliver(*client, message)
                            : server::CommandClients::deliver(*client, message);
  }
  void onConnect() override {
    checkLimits();
    if (std::exchange(hasConnected, true)) return;
    // In the worker process: all its clients' names have this beginning, whatever the connection.
    const Audience any = Audience::client(access::clientIds().idOf(1));
    context.channel.subscribeGroup(channel::subscriptionOf(any.channelName()));
  }
  void onDrain() override { publisher.onDrain(); }
  void onAcknowledged() override { publisher.onAcknowledged(); }
  void onRejected(std::uint64_t number, std::string_view) override { publisher.onRejected(number); }
  /// Clients must not miss messages without noticing: they reconnect, as after a reload.
  void onGap() override {
    context.worker.forEachConnection([this](Connection& client) {
      const bool isMember = server::isOfV1(client)
                                ? v1Clients.isInGroups(client)
                                : commandClients.isInGroups(client) || !userOf(client).empty();
      if (isMember) client.close(CloseCode::ServiceRestart, "messages were lost, join again");
    });
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
  server::Audiences audiences;
  const server::ServerContext context;
  server::CommandClients commandClients;
  server::V1Clients v1Clients;
  server::BackendDesk backend;
  server::Questions questions;
  bool hasConnected = false;
  /// For handlers, which may outlive this.
  const std::shared_ptr<Impl*> self = std::make_shared<Impl*>(this);
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
  const bool hasUser = impl_->audiences.admit(client);
  if (!server::isOfV1(client)) {
    impl_->commandClients.onAdmitted(client, hasUser);
  } else if (token != nullptr) {
    impl_->v1Clients.welcome(client, *token);
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
  const bool hadUser = impl_->audiences.remove(client);
  if (!server::isOfV1(client)) impl_->commandClients.onClose(client, hadUser);
  impl_->access.onClose(client);
}

bool GroupServer::hasRoom() const { return impl_->publisher.hasRoom(); }

}  // namespace stormo
