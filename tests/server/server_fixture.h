#pragma once

#include <gmock/gmock.h>
#include <stormo/channel.h>
#include <stormo/channel/server.h>
#include <stormo/group_server.h>
#include <stormo/worker.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "channel/kept_log.h"
#include "channel/server/server_process.h"
#include "process/child.h"
#include "support/loop_fixture.h"
#include "support/websocket_client.h"
#include "sys/sockets.h"
#include "worker/worker_process.h"

namespace stormo::server {

/// A Channel and two workers of the ready server, all on one loop, and clients of theirs.
class ServerTest : public test::LoopTest {
 protected:
  struct Client {
    test::WebSocketClient socket;
    std::vector<std::string> received;

    void send(std::string_view text) { socket.sendText(text); }
    std::vector<std::string>& all() {
      for (std::string& message : socket.messages()) received.push_back(std::move(message));
      return received;
    }
  };

  struct Settings {
    GroupServerOptions options = {};
    Limits limits = {};
    std::size_t messageBytesMax = 1 << 20;
    std::size_t sendBufferBytesMax = 8 << 20;
    std::function<void(GroupServer& server)> prepare = {};  ///< Sets handlers.
  };

  /// With the settings of `settings` and `server` as they are now.
  void start() {
    startChannel();
    for (auto& worker : workers) worker.emplace(loop, settings, channelUrl());
  }
  void startChannel() {
    channel.emplace(loop, server, makeLog());
    channel->listen(channelFd.get());
  }
  /// As if its process was killed, and another one started. It goes on from the log.
  void restartChannel() {
    channel.reset();
    settle();
    startChannel();
  }
  [[nodiscard]] std::string channelUrl() const {
    return channelScheme + "://" + localAddress(channelFd.get()).text();
  }

  Client connect(std::size_t worker, std::string_view subprotocol = {}) {
    Client made{test::WebSocketClient(test::RawPeer::connect(workers[worker]->port())), {}};
    made.socket.sendHandshake(
        "/", subprotocol.empty() ? std::string()
                                 : "Sec-WebSocket-Protocol: " + std::string(subprotocol) + "\r\n");
    EXPECT_TRUE(turnUntil([&] { return made.socket.answered(); }));
    EXPECT_TRUE(made.socket.isOpen());
    EXPECT_EQ(made.socket.header("Sec-WebSocket-Protocol"), subprotocol);
    return made;
  }

  /// Waits for `count` messages, lets further ones arrive, and takes all.
  std::vector<std::string> await(Client& client, std::size_t count) {
    EXPECT_TRUE(turnUntil([&] { return client.all().size() >= count; }))
        << "had " << testing::PrintToString(client.received);
    settle();
    return std::exchange(client.all(), {});
  }

  struct OneWorker {
    OneWorker(EventLoop& loop, const Settings& settings, const std::string& channelUrl)
        : bus(channelUrl), groupServer(worker, bus, settings.options), child{loop,         0,  0,
                                                                             {{fd.get()}}, {}, -1} {
      worker.maxPackageSize = settings.messageBytesMax;
      worker.maxSendBufferSize = settings.sendBufferBytesMax;
      worker.limits = settings.limits;
      worker.onWorkerStart = [this](Worker&) { bus.connect(); };
      if (settings.prepare) settings.prepare(groupServer);
      process.emplace(worker, child);
    }
    [[nodiscard]] std::uint16_t port() const { return localAddress(fd.get()).port(); }

    UniqueFd fd = listenHere();
    Worker worker{"websocket://127.0.0.1:0"};
    stormo::Channel bus;
    GroupServer groupServer;
    process::Child child;
    std::optional<WorkerProcess> process;
  };

  static UniqueFd listenHere() { return std::move(*listenOn(*Address::ip("127.0.0.1", 0))); }

  UniqueFd channelFd = listenHere();
  channel::Server server{"127.0.0.1", 0};
  Settings settings;
  std::string channelScheme = "stormo";
  channel::KeptLog::Records records;
  std::function<std::unique_ptr<channel::Log>()> makeLog = [this] {
    return std::make_unique<channel::KeptLog>(records);
  };
  std::optional<channel::ServerProcess> channel;
  std::array<std::optional<OneWorker>, 2> workers;
};

}  // namespace stormo::server
