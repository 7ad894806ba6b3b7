#pragma once

#include <stormo/access.h>
#include <stormo/channel/messages.h>
#include <stormo/connection.h>
#include <stormo/message.h>
#include <stormo/slow_policy.h>
#include <stormo/value.h>
#include <stormo/websocket.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace stormo {

class Channel;
class Worker;

struct GroupServerOptions {
  /// Maximum number of groups that one client is in. More joins are refused: too_many_groups.
  std::size_t groupsPerClientMax = 1000;
  /// True: such joins are counted in `status`, and not refused.
  bool groupsPerClientDryRun = false;
  /// A client with this many bad commands in a row, within this time, is closed with 1008.
  std::size_t badCommandsMax = 10;
  std::chrono::milliseconds badCommandsTime{5000};
  /// A client with this many joins and sends in a row that are forbidden is closed with 1008.
  std::size_t refusedCommandsMax = 50;
  /// Bytes of missed messages that one client receives per second, on average. Above it, its joins
  /// wait.
  std::size_t replayBytesPerSecond = 1 << 20;
  /// What happens to messages for clients that do not drain: see Groups::setSlowRules(). Clients of
  /// stormo.v1 receive the event `missed`.
  std::vector<SlowRule> slowRules = {};
  /// Without keys and rules everybody may do everything that the handlers below allow.
  AccessOptions access = {};
};

/// The client protocols of the ready server `stormo`, on a Worker of your own and with your own
/// rules: the group commands (docs/group-protocol.md), and stormo.v1 (docs/v1-protocol.md) with its
/// replies, histories and acknowledged sends. All messages take their way through the Channel, so
/// members in all processes receive them exactly once and in one order.
///
///     Worker worker("websocket://0.0.0.0:1234");
///     Channel channel;
///     GroupServer server(worker, channel);
///     server.mayJoin = [](Connection& client, std::string_view group) { return … };
///     worker.onWorkerStart = [&](Worker&) { channel.connect(); };
///     return Worker::runAll(argc, argv);
///
/// Declare it in main, as the Worker and the Channel, which must outlive it. Handlers are called on
/// the loop of a worker process; their Connection is valid until they return. An exception of a
/// handler closes the client with 1011.
class GroupServer {
 public:
  /// Sets the worker's handlers onWebSocketConnect, onWebSocketOpen, onMessage, onClose and
  /// hasRoom, and adds stormo.v1 to its subprotocols. A program that sets one of these handlers
  /// itself calls the function of the same name below. Throws std::invalid_argument if a key or a
  /// rule of `options.access` cannot be used.
  GroupServer(Worker& worker, Channel& channel, GroupServerOptions options = {});
  ~GroupServer();
  GroupServer(const GroupServer&) = delete;
  GroupServer& operator=(const GroupServer&) = delete;

  // --- In addition to tokens and AccessOptions::rules. Without a handler all is allowed. ---

  /// May the client join the group? false: the reply is the error `forbidden`.
  std::function<bool(Connection& client, std::string_view group)> mayJoin;
  /// May the client send this message to the group? false: as above, and the message is dropped.
  std::function<bool(Connection& client, std::string_view group, std::string_view message)> maySend;

  // --- Events ---

  /// The client has become a member, and its reply is queued.
  std::function<void(Connection& client, std::string_view group)> onJoin;
  /// The client has left the group, by a command or because it is closed. Set it before the first
  /// client joins.
  std::function<void(Connection& client, std::string_view group)> onLeave;
  /// A command, as a JSON object, whose "cmd" is none of the protocol's. Returns true if it was
  /// handled; else the client receives the error unknown_cmd.
  std::function<bool(Connection& client, const Value& command)> onCommand;

  /// A token states a key that is not known. Returns true if newer keys are looked for: clients
  /// with such tokens then wait, unread and at most 10 s, until setKeys() or keepKeys() is called.
  /// Not called while they are looked for.
  std::function<bool()> onUnknownKey;

  /// In a worker process: tokens may be signed with these keys, in addition to those of
  /// AccessOptions::keys, and no more with those of an earlier call. Clients keep the tokens that
  /// were accepted. Throws std::invalid_argument, and changes nothing, if a key cannot be used;
  /// std::logic_error without AccessOptions::moreKeysFollow.
  void setKeys(const std::vector<TokenKey>& keys);
  /// The search that onUnknownKey has started has found no newer keys.
  void keepKeys();

  /// Sends to all members of the group, in all processes, as a client does. Throws as
  /// Channel::publishToGroup().
  PublishStatus send(std::string_view group, Message message);

  // --- The worker's handlers ---

  void onWebSocketConnect(Connection& client, WebSocketHandshake& handshake);
  void onWebSocketOpen(Connection& client);
  void onMessage(Connection& client, Message message);
  void onClose(Connection& client);
  [[nodiscard]] bool hasRoom() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stormo
