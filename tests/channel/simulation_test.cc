// The Channel and its clients as they are, in one process, on a clock and a network that a seed
// moves: links that are slow and are cut, a server and clients that die at any step. Whatever
// happens, each client hears what it should, once and in order.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "channel/bus.h"
#include "channel/server_process.h"
#include "channel/simulated_network.h"
#include "event/loop_impl.h"
#include "support/loop_fixture.h"
#include "support/raw_peer.h"
#include "support/temp_directory.h"
#include "sys/sockets.h"

namespace stormo::channel {
namespace {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__)
constexpr std::uint64_t kSeeds = 500;
#else
constexpr std::uint64_t kSeeds = 10'000;
#endif
constexpr std::size_t kClients = 3;
constexpr std::size_t kGroups = 3;
constexpr int kSteps = 150;
constexpr std::size_t kEverything = ~std::size_t{0};
// Longer than a client waits until it tries again.
constexpr auto kStride = 3s;

TimePoint simulatedNow{};

using Numbers = std::vector<std::size_t>;

/// One life of a client: what it published, and what it heard of each life.
struct Life {
  bool isFirst;  ///< It was there before anything was published.
  bool isOver = false;
  Numbers groups{};                        ///< That it is subscribed to.
  Numbers published{};                     ///< To which group, message by message.
  std::map<std::size_t, Numbers> heard{};  ///< Which messages, by their sender's life.
};

class Simulation final : StageWorker {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed) {
    simulatedNow = TimePoint{} + 1h;
    loop_.impl().useClock([] { return simulatedNow; });
    net::ConnectionTable::of(loop_);  // before us in each stage
    loop_.impl().addStage(Stage::FlushConnections, *this);
    server_.linkStallMax = 24h;
    server_.replayAgeMax = 24h;
    listening_ = std::move(*listenOn(*Address::unixPath(serverPath())));
    startServer();
    for (std::size_t i = 0; i < kClients; ++i) {
      roads_.push_back(std::make_unique<SimulatedRoad>(directory_.file("road" + std::to_string(i)),
                                                       serverPath()));
      clients_.emplace_back();
      startClient(i, true);
    }
    heal();
  }
  ~Simulation() {
    loop_.impl().removeStage(Stage::FlushConnections, *this);
    clients_.clear();
  }

  void run() {
    for (int i = 0; i < kSteps; ++i) step();
    if (!process_) startServer();
    heal();
  }

  /// What is not as it should be, in words; empty if all is.
  std::string complaint() {
    if (!complaint_.empty()) return complaint_;
    for (std::size_t receiver = 0; receiver < lives_.size(); ++receiver) {
      if (lives_[receiver].isOver) continue;
      for (std::size_t sender = 0; sender < lives_.size(); ++sender) compare(receiver, sender);
    }
    if (loop_.impl().unfinished != 0) complaint_ += "not everything was acknowledged\n";
    return complaint_;
  }
  [[nodiscard]] const std::string& story() const { return story_; }
  [[nodiscard]] std::size_t heardCount() const { return heardCount_; }

 private:
  struct Client {
    std::unique_ptr<Bus> bus;
    std::size_t life = 0;
    int calmTurns = 0;  ///< For which it has been on a link that has taken all it had to say.
  };

  std::string serverPath() { return directory_.file("channel"); }
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  void tell(const std::string& what) { story_ += what + "\n"; }

  void onStage(Stage) override {
    if (std::exchange(diesInTurn_, false)) process_.reset();
  }

  void startServer() {
    ++serverLife_;
    process_.emplace(loop_, server_);
    process_->listen(listening_.get());
  }

  void startClient(std::size_t index, bool isFirst) {
    Client& client = clients_[index];
    client.life = lives_.size();
    client.calmTurns = 0;
    Life& life = lives_.emplace_back(Life{.isFirst = isFirst});
    client.bus = makeBus(roads_[index]->url(), {.pingInterval = 24h});
    client.bus->onGroupMessage = [this, number = client.life](const GroupMessage& said) {
      hear(number, said.group, said.message.data);
    };
    client.bus->onGap = [this] { complaint_ += "a gap\n"; };
    for (std::size_t group = 0; group < kGroups; ++group) {
      if (group != 0 && below(3) == 0) continue;
      life.groups.push_back(group);
      client.bus->subscribeGroup(std::to_string(group));
    }
    client.bus->connect();
  }

  void hear(std::size_t receiver, std::string_view group, std::string_view text) {
    std::size_t sender = 0;
    std::size_t number = 0;
    std::sscanf(std::string(text).c_str(), "%zu:%zu", &sender, &number);
    if (std::to_string(lives_.at(sender).published.at(number)) != group) {
      complaint_ += "a message in the wrong group\n";
    }
    lives_[receiver].heard[sender].push_back(number);
    ++heardCount_;
  }

  void publish(std::size_t index) {
    Client& client = clients_[index];
    Life& life = lives_[client.life];
    const std::size_t group = below(kGroups);
    const std::string text =
        std::to_string(client.life) + ":" + std::to_string(life.published.size());
    life.published.push_back(group);
    // Some are longer than what a turn of the network moves.
    client.bus->publishToGroup(std::to_string(group),
                               text + std::string(below(8) == 0 ? 3000 : 1, ' '));
  }

  void step() {
    const std::size_t index = below(kClients);
    SimulatedRoad& road = *roads_[index];
    const std::string name = std::to_string(index);
    switch (below(40)) {
      case 0:
        if (!process_) return;
        if (!allCalm()) return;  // two faults at once are more than is promised
        if (below(2) == 0) {
          tell("the server dies");
          process_.reset();
          return;
        }
        tell("the server will die between sending and acknowledging");
        diesInTurn_ = true;
        return turn();
      case 1:
      case 2:
        if (process_) return;
        tell("the server starts");
        return startServer();
      case 3:
        // One that a dead server has left behind brings its last words: to lose these, too, is
        // more.
        if (!process_ || roadLives_[index] != serverLife_ || !road.cut()) return;
        tell("link " + name + " is cut");
        clients_[index].calmTurns = 0;
        return;
      case 4:
        if (below(3) != 0) return;
        tell("client " + name + " dies, and another one begins");
        lives_[clients_[index].life].isOver = true;
        clients_[index].bus.reset();
        return startClient(index, false);
      case 5:
      case 6:
        tell("time passes");
        simulatedNow += kStride;
        return turn();
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        tell("client " + name + " publishes");
        return publish(index);
      default:
        break;
    }
    if (below(3) == 0) return turn();
    accept(index);
    const std::size_t bytes = below(2) == 0 ? 1 + below(60) : kEverything;
    below(2) == 0 ? road.moveUp(bytes) : road.moveDown(bytes);
  }

  bool accept(std::size_t index) {
    if (!roads_[index]->accept()) return false;
    // Without a server it waits for the next one.
    roadLives_[index] = process_ ? serverLife_ : serverLife_ + 1;
    return true;
  }

  void turn() {
    // So that little already waits outside of the kernel.
    net::ConnectionTable::of(loop_).forEach(
        [](net::Peer& peer) { test::shrinkSendBuffer(peer.fd.get()); });
    loop_.turn(0ms);
    for (std::size_t i = 0; i < kClients; ++i) {
      const bool isCalm = clients_[i].bus->isConnected() && roads_[i]->isUpEmpty();
      clients_[i].calmTurns = isCalm ? clients_[i].calmTurns + 1 : 0;
    }
  }

  bool allCalm() {
    return std::ranges::all_of(clients_, [](const Client& each) { return each.calmTurns >= 3; });
  }

  /// Everything works again, and whatever was on its way arrives.
  void heal() {
    for (int quiet = 0, rounds = 0; quiet < 4; ++rounds) {
      if (rounds > 3000) {
        complaint_ += "it does not come to rest\n";
        return;
      }
      bool moved = false;
      for (std::size_t i = 0; i < kClients; ++i) {
        moved |= accept(i);
        moved |= roads_[i]->moveUp(kEverything);
        moved |= roads_[i]->moveDown(kEverything);
      }
      turn();
      const bool isUp =
          std::ranges::all_of(clients_, [](const Client& each) { return each.bus->isConnected(); });
      if (!moved && !isUp) simulatedNow += kStride;
      quiet = moved || !isUp ? 0 : quiet + 1;
    }
  }

  /// What a receiver heard of a sender is in order, and all of what was sent to its groups if it
  /// was there from the beginning; if it came later, from some message of each group on, as it
  /// subscribes to one after the other. The end may be missing of a sender that has died.
  void compare(std::size_t receiver, std::size_t sender) {
    const Life& to = lives_[receiver];
    const auto found = to.heard.find(sender);
    const Numbers heard = found == to.heard.end() ? Numbers{} : found->second;
    const bool inOrder = std::ranges::adjacent_find(heard, std::greater_equal{}) == heard.end();
    bool isWhole = true;
    for (const std::size_t group : to.groups) {
      isWhole &= isStretch(lives_[sender], group, heard, to.isFirst);
    }
    if (inOrder && isWhole) return;
    complaint_ += "life " + std::to_string(receiver) + " heard of life " + std::to_string(sender) +
                  ":" + inWords(heard) + "\n   of the groups:" + inWords(to.groups) +
                  "\n   but was sent to groups:" + inWords(lives_[sender].published) + "\n";
  }

  static bool isStretch(const Life& sender, std::size_t group, const Numbers& heardOfAll,
                        bool fromBeginning) {
    Numbers sent;
    for (std::size_t i = 0; i < sender.published.size(); ++i) {
      if (sender.published[i] == group) sent.push_back(i);
    }
    Numbers heard = heardOfAll;
    std::erase_if(heard, [&](std::size_t number) { return sender.published[number] != group; });
    if (heard.empty()) return sent.empty() || sender.isOver || !fromBeginning;
    const auto place = std::ranges::search(sent, heard);
    if (place.empty() || (fromBeginning && place.begin() != sent.begin())) return false;
    return sender.isOver || place.end() == sent.end();
  }

  static std::string inWords(const Numbers& numbers) {
    std::string words;
    for (const std::size_t number : numbers) words += " " + std::to_string(number);
    return words;
  }

  std::mt19937_64 random_;
  test::TempDirectory directory_;
  EventLoop loop_;
  Server server_{"127.0.0.1", 0};
  UniqueFd listening_;
  std::optional<ServerProcess> process_;
  std::vector<std::unique_ptr<SimulatedRoad>> roads_;
  int serverLife_ = 0;
  bool diesInTurn_ = false;
  std::array<int, kClients> roadLives_{};  // in which its link was made
  std::vector<Client> clients_;
  std::vector<Life> lives_;
  std::string story_;
  std::string complaint_;
  std::size_t heardCount_ = 0;
};

TEST(ChannelSimulation, EverySeedEndsWell) {
  const char* only = std::getenv("STORMO_SIMULATION_SEED");
  const std::uint64_t first = only == nullptr ? 1 : std::stoull(only);
  const std::uint64_t last = only == nullptr ? kSeeds : first;
  std::size_t heard = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    Simulation simulation(seed);
    simulation.run();
    heard += simulation.heardCount();
    ASSERT_EQ(simulation.complaint(), "")
        << "to repeat it: STORMO_SIMULATION_SEED=" << seed << " build/bin/channel_simulation_test\n"
        << simulation.story();
  }
  EXPECT_GT(heard, last - first + 1) << "nothing was said: nothing was tested";
}

}  // namespace
}  // namespace stormo::channel
