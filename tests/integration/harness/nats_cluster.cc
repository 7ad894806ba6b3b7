#include "integration/harness/nats_cluster.h"

#include <chrono>
#include <exception>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <utility>

#include "integration/harness/reverse_proxy.h"

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kPatience = 300ms;
constexpr std::size_t kDiskBytes = std::size_t{64} << 20;

std::string nameOf(std::size_t server) { return "n" + std::to_string(server); }

// Clients that connect through a proxy must not learn of the servers behind it.
std::string configurationOf(std::size_t server, const std::vector<ReservedPort>& routes) {
  std::string text = "server_name: " + nameOf(server) +
                     "\njetstream { max_mem: 64MB, max_file: 1GB }\n"
                     "lame_duck_duration: \"30s\"\nlame_duck_grace_period: \"1s\"\n"
                     "cluster {\n  name: test\n  no_advertise: true\n  listen: \"127.0.0.1:" +
                     std::to_string(routes[server].number()) + "\"\n  routes: [";
  for (const ReservedPort& port : routes) {
    text += " \"nats://127.0.0.1:" + std::to_string(port.number()) + "\",";
  }
  text.back() = ' ';
  return text + "]\n}\n";
}

}  // namespace

NatsCluster::NatsCluster(const test::Deadline& deadline, bool haveDisks) {
  std::array<std::string, kServers> configurations;
  {
    const std::vector<ReservedPort> routes(kServers);
    for (std::size_t i = 0; i < kServers; ++i) configurations[i] = configurationOf(i, routes);
  }
  for (std::size_t i = 0; i < kServers; ++i) {
    const std::string store = stores_[i].path();
    if (haveDisks) disks_[i] = std::make_unique<SmallDisk>(store, kDiskBytes);
    servers_[i] = std::make_unique<test::NatsServer>(deadline, configurations[i], store);
  }
}

std::vector<std::uint16_t> NatsCluster::ports() const {
  std::vector<std::uint16_t> ports;
  for (const auto& server : servers_) ports.push_back(server->port());
  return ports;
}

void NatsCluster::startEmpty(std::size_t server) {
  servers_.at(server)->kill();
  for (const auto& entry : std::filesystem::directory_iterator(stores_.at(server).path())) {
    std::filesystem::remove_all(entry.path());
  }
  servers_.at(server)->start();
}

bool NatsCluster::isOld() const {
  static const std::regex kVersion(R"(Version: +(\d+)\.(\d+))");
  const std::string log = servers_[0]->log();
  std::smatch found;
  if (!std::regex_search(log, found, kVersion)) {
    throw std::runtime_error("nats-server logs no version: " + log);
  }
  return std::pair(std::stoi(found[1]), std::stoi(found[2])) < std::pair(2, 10);
}

std::string NatsCluster::describeStream() const {
  for (const auto& server : servers_) {
    if (server->hasEnded()) continue;
    try {
      std::string answer =
          server->request(std::string("$JS.API.STREAM.INFO.") + kStream, "", kPatience);
      if (!answer.empty()) return answer;
    } catch (const std::exception&) {  // it is stopped, or ends
    }
  }
  return {};
}

std::optional<std::size_t> NatsCluster::leader() const {
  const Json answer = Json::parse(describeStream(), nullptr, false);
  if (!answer.is_object() || !answer.contains("cluster")) return std::nullopt;
  const std::string leader = answer.at("cluster").value("leader", "");
  for (std::size_t i = 0; i < kServers; ++i) {
    if (leader == nameOf(i)) return i;
  }
  return std::nullopt;
}

std::vector<std::size_t> NatsCluster::behind() const {
  const Json answer = Json::parse(describeStream(), nullptr, false);
  std::vector<std::size_t> behind;
  for (std::size_t i = 0; i < kServers; ++i) behind.push_back(i);
  if (!answer.is_object() || !answer.contains("cluster")) return behind;
  const Json& cluster = answer.at("cluster");
  const auto erase = [&](const std::string& name) {
    std::erase_if(behind, [&](std::size_t i) { return name == nameOf(i); });
  };
  erase(cluster.value("leader", ""));
  for (const Json& replica : cluster.value("replicas", Json::array())) {
    const bool isCurrent = replica.value("current", false) && !replica.value("offline", false);
    if (isCurrent) erase(replica.value("name", ""));
  }
  return behind;
}

}  // namespace stormo::integration
