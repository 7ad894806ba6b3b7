// Connections that are closed leak nothing.
#include <algorithm>
#include <filesystem>
#include <map>

#include "integration/harness/tcp_peer.h"
#include "integration/harness/with_stormo.h"

namespace stormo::integration {
namespace {

constexpr std::size_t kConnections = 10'000;
constexpr std::size_t kAtATime = 50;
/// What two workers subscribe to for themselves: three events of backends, everybody, and for each
/// the clients that it has.
constexpr std::size_t kOwnSubscriptions = 3 + 1 + 2;

/// Each client: connect, join, perhaps send, perhaps leave, disconnect in one of several ways.
class ShortConnections {
 public:
  using Id = ClientSwarm::Id;

  explicit ShortConnections(ClientSwarm& clients) : clients_(clients) {
    clients_.onMessage = [this](Id id, const SwarmClient::Received&) { leave(id); };
  }
  ~ShortConnections() { clients_.onMessage = nullptr; }

  void run(std::size_t count) {
    const std::size_t goal = begun_ + count;
    clients_.runUntil("all connections", [&] {
      std::erase_if(active_, [&](Id id) { return advance(id); });
      for (; begun_ < goal && active_.size() < kAtATime; ++begun_)
        active_.push_back(clients_.begin());
      return active_.empty();
    });
  }

  [[nodiscard]] std::size_t failures() const { return failures_; }

 private:
  static std::string groupOf(Id id) { return "shared " + std::to_string(id % 97); }

  /// True when this client has disconnected.
  bool advance(Id id) {
    const SwarmClient& client = clients_[id];
    if (client.isOpen() && !hasJoined_[id]) joinAndSend(id);
    if (!client.isClosed()) return false;
    if (!hasJoined_[id]) ++failures_;
    hasJoined_.erase(id);
    return true;
  }

  void joinAndSend(Id id) {
    hasJoined_[id] = true;
    clients_.command(id, "add_group", groupOf(id));
    clients_.command(id, "add_group", "only " + std::to_string(id));
    if (id % 5 == 0) return clients_.drop(id, id % 2 == 0);  // while its commands are handled
    clients_.sendToGroup(id, "only " + std::to_string(id), "to itself");
    clients_.sendToGroup(id, groupOf(id), "to the group");
  }

  /// Called when a client has received a message.
  void leave(Id id) {
    if (clients_[id].received.size() > 1) return;
    switch (id % 4) {
      case 0:
        return clients_.drop(id);
      case 1:
        return clients_.drop(id, true);
      case 2:
        clients_.command(id, "leave_group", groupOf(id));
        [[fallthrough]];
      default:
        clients_.close(id);
    }
  }

  ClientSwarm& clients_;
  std::vector<Id> active_;
  std::map<Id, bool> hasJoined_;
  std::size_t begun_ = 0;
  std::size_t failures_ = 0;
};

class ManyConnections : public WithStormo {
 protected:
  /// Of the workers and the Channel.
  std::map<pid_t, std::size_t> openFiles() {
    std::map<pid_t, std::size_t> counts;
    const Json report = stormo.status();
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") == "master") continue;
      const auto pid = row.at("pid").get<pid_t>();
      const std::filesystem::directory_iterator files("/proc/" + std::to_string(pid) + "/fd");
      counts[pid] = static_cast<std::size_t>(std::distance(begin(files), end(files)));
    }
    return counts;
  }

  void waitUntilAllHaveLeft() {
    stormo.waitForStatus("no clients and no groups", [](const Json& report) {
      const auto channel =
          std::find_if(report.at("processes").begin(), report.at("processes").end(),
                       [](const Json& row) { return row.at("kind") == "channel"; });
      return clientsIn(report) == 0 && groupsIn(report) == 0 &&
             channel->at("groups") == kOwnSubscriptions;
    });
  }
};

TEST_F(ManyConnections, TenThousandShortConnectionsLeakNoDescriptorAndNoGroup) {
  startStormo({"--workers", "2"});
  ShortConnections connections(clients());
  connections.run(500);  // opens what is opened once and kept
  waitUntilAllHaveLeft();
  const auto before = openFiles();

  connections.run(kConnections);
  waitUntilAllHaveLeft();
  EXPECT_EQ(openFiles(), before);
  EXPECT_EQ(connections.failures(), 0u);
  EXPECT_EQ(stormo.connections().size(),
            2u + 2u);  // both ends of the workers' links to the Channel
  const Json report = stormo.status();
  for (const Json& row : report.at("processes")) {
    if (row.at("kind") == "master") continue;
    EXPECT_EQ(row.at("restarts"), 0) << row;
    EXPECT_EQ(row.at("handler_errors"), 0) << row;
  }
}

TEST_F(ManyConnections, ConnectionsClosedDuringTheHandshakeLeakNothing) {
  startStormo({"--workers", "2"});
  const std::uint16_t port = stormo.port();
  const auto visit = [&](int count) {
    for (int i = 0; i < count; ++i) {
      TcpPeer peer(deadline, port);
      peer.send("GET / HTTP/1.1\r\nHost: here\r\n");
    }
    waitUntilAllHaveLeft();
  };
  visit(20);
  const auto before = openFiles();
  visit(500);
  EXPECT_EQ(openFiles(), before);
}

}  // namespace
}  // namespace stormo::integration
