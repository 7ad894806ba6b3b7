// Several workers that accept clients from one unix socket.
#include <poll.h>
#include <unistd.h>

#include "integration/harness/with_stormo.h"
#include "support/websocket_client.h"
#include "sys/sockets.h"

namespace stormo::integration {
namespace {

constexpr std::size_t kClients = 200;
constexpr std::size_t kWorkers = 4;

class UnixListening : public WithStormo {
 protected:
  UnixListening() {
    stormo.start({"--listen", "unix://" + path(), "--workers", std::to_string(kWorkers)});
  }
  [[nodiscard]] std::string path() const { return stormo.folder() + "/clients"; }

  void connect() {
    clients_.push_back(std::move(connectTo(*Address::unixPath(path())).value()));
    const std::string request = test::WebSocketClient::request();
    ASSERT_EQ(::write(clients_.back().get(), request.data(), request.size()),
              static_cast<ssize_t>(request.size()));
  }
  void awaitAnswer() const {
    pollfd ready{.fd = clients_.back().get(), .events = POLLIN, .revents = 0};
    ASSERT_EQ(::poll(&ready, 1, 30'000), 1);
  }
  void expectFairParts() {
    Json report;
    stormo.waitForStatus("all clients are connected", [&](const Json& now) {
      report = now;
      return clientsIn(now) == kClients;
    });
    for (const Json& row : report.at("processes")) {
      if (row.at("kind") != "worker") continue;
      EXPECT_GE(row.at("connections").get<std::size_t>() - 1, kClients / kWorkers / 2) << row;
    }
  }

 private:
  std::vector<UniqueFd> clients_;
};

TEST_F(UnixListening, EachWorkerAcceptsAFairPartOfClientsThatComeAtOnce) {
  for (std::size_t i = 0; i < kClients; ++i) connect();
  expectFairParts();
}

TEST_F(UnixListening, EachWorkerAcceptsAFairPartOfClientsThatComeOneByOne) {
  for (std::size_t i = 0; i < kClients; ++i) {
    connect();
    awaitAnswer();
  }
  expectFairParts();
}

}  // namespace
}  // namespace stormo::integration
