#include "worker/channel_log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "channel/cluster/cluster_log.h"
#include "channel/log/file_log.h"
#include "channel/log/memory_log.h"
#include "channel/nats/nats_stream.h"

namespace stormo {
namespace {

std::string machineName() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "node";
  return name.data();
}

std::vector<process::NodeRow> nodeRows(channel::ClusterLog& log) {
  std::vector<process::NodeRow> rows;
  for (const channel::ClusterLog::NodeStatus& node : log.nodes()) {
    rows.push_back({.node = node.name,
                    .id = fmt::format("{:016x}", node.id),
                    .state = node.isSelf   ? "this node"
                             : node.isGone ? "gone"
                                           : "here",
                    .silence = node.silence,
                    .blocked = node.isSelf ? log.whyBlocked() : std::string()});
  }
  return rows;
}

std::unique_ptr<channel::Log> makeClusterLog(process::Child& child, const channel::Server& server,
                                             channel::LogDirectory& directory) {
  const channel::ClusterSettings& cluster = server.cluster;
  auto log = std::make_unique<channel::ClusterLog>(
      std::make_unique<channel::NatsStream>(cluster), directory,
      channel::ClusterLogSettings{.node = cluster.node.empty() ? machineName() : cluster.node,
                                  .goneAfter = cluster.goneAfter,
                                  .snapshotBytes = server.log.segmentBytes,
                                  .totalBytesMax = server.log.totalBytesMax});
  // Its successor starts from the snapshot, or from that of another node.
  log->onBroken = [&child] { child.loop().stop(); };
  child.onNodes = [&log = *log] { return nodeRows(log); };
  return log;
}

}  // namespace

bool hasCluster(const channel::Server& server) { return !server.cluster.servers.empty(); }

void checkCluster(const channel::Server& server) {
  if (!hasCluster(server)) return;
  if (server.cluster.node.size() > channel::kNodeNameBytesMax) {
    throw std::invalid_argument("the name of a node has more than 255 bytes");
  }
  const channel::NatsStream checked(server.cluster);
}

std::string logDirectoryOf(const channel::Server& server, const std::string& instanceDirectory) {
  return instanceDirectory + (hasCluster(server) ? "/channel-cluster" : "/channel-log");
}

std::unique_ptr<channel::Log> makeLog(process::Child& child, const channel::Server& server,
                                      channel::LogDirectory& directory) {
  if (hasCluster(server)) return makeClusterLog(child, server, directory);
  if (server.log.directory.empty()) return std::make_unique<channel::MemoryLog>();
  return std::make_unique<channel::FileLog>(directory, server.log);
}

}  // namespace stormo
