#include "integration/harness/nats_cluster.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <nlohmann/json.hpp>

#include "integration/harness/reverse_proxy.h"

namespace stormo::integration {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kPatience = 300ms;
constexpr std::size_t kDiskBytes = std::size_t{64} << 20;

// Clients that connect through a proxy must not learn of the servers behind it.
std::string configurationOf(std::size_t server, const std::vector<ReservedPort>& routes) {
  std::string text = "server_name: n" + std::to_string(server) +
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
  const std::string name = answer.at("cluster").value("leader", "");
  if (name.size() != 2) return std::nullopt;
  return static_cast<std::size_t>(name[1] - '0');
}

bool NatsCluster::isWhole() const {
  const Json answer = Json::parse(describeStream(), nullptr, false);
  if (!answer.is_object() || !answer.contains("cluster")) return false;
  const Json& cluster = answer.at("cluster");
  if (cluster.value("leader", "").empty() || !cluster.contains("replicas")) return false;
  const Json& replicas = cluster.at("replicas");
  return replicas.size() == kServers - 1 && std::ranges::all_of(replicas, [](const Json& replica) {
           return replica.value("current", false) && !replica.value("offline", false);
         });
}

}  // namespace stormo::integration
