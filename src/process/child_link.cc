#include "process/child_link.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/counters.h"
#include "event/loop_impl.h"
#include "sys/clock.h"
#include "sys/log.h"

namespace stormo::process {
namespace {

constexpr std::size_t kRowsPerPacket =
    100;  // about 600 bytes each at most: well below a packet's limit
constexpr auto kStopWithoutMaster = std::chrono::seconds(5);

Json toJson(const ConnectionRow& row) {
  return {{"id", row.id},
          {"transport", row.transport},
          {"protocol", row.protocol},
          {"state", row.state},
          {"receive_queue_bytes", row.receiveQueueBytes},
          {"send_queue_bytes", row.sendQueueBytes},
          {"bytes_read", row.bytesRead},
          {"bytes_written", row.bytesWritten},
          {"local_address", row.localAddress},
          {"remote_address", row.remoteAddress}};
}

Json toJson(const NodeRow& row) {
  return {{"node", row.node},
          {"id", row.id},
          {"state", row.state},
          {"silent_s", static_cast<double>(row.silence.count()) / 1000},
          {"blocked", row.blocked.empty() ? Json(nullptr) : Json(row.blocked)}};
}

template <typename Row>
std::vector<Json> toJson(const std::function<std::vector<Row>()>& list) {
  std::vector<Json> rows;
  if (!list) return rows;
  for (const Row& row : list()) rows.push_back(toJson(row));
  return rows;
}

}  // namespace

ChildLink::ChildLink(Child& child, UniqueFd fd)
    : child_(child),
      link_(
          child.loop(), std::move(fd), [this](const Json& order) { onOrder(order); },
          [this] { onMasterExit(); }) {}

void ChildLink::reportReady(std::string_view missing) {
  link_.send({{"report", "ready"}, {"missing", missing}});
}

void ChildLink::reportFailure(std::string_view why) {
  link_.send({{"report", "failed"}, {"why", why}});
}

void ChildLink::onOrder(const Json& order) {
  const auto& what = order.at("order").get_ref<const std::string&>();
  if (what == "alive") {
    const auto now = Clock::now().time_since_epoch();
    LoopImpl::of(child_.loop())
        .counters()
        .aliveAtMs.set(static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
    link_.send({{"report", "alive"}});
  } else if (what == "connections" || what == "nodes") {
    reportRows(what, order.at("request"));
  } else if (what == "accept") {
    const auto& listeners = child_.listenersOf(order.at("slot"));
    if (child_.onAcceptForSibling) child_.onAcceptForSibling(listeners, order.at("accept"));
  } else if (what == "log-file") {
    // The master opened it, because this process's user may not be allowed to.
    if (UniqueFd file = link_.takeDescriptor(); file.valid()) {
      log::useFile(std::move(file));
      log::debug("reopened the log");
    }
  } else if (what == "credentials") {
    const UniqueFd file = link_.takeDescriptor();
    try {
      if (file.valid() && child_.onCredentials) child_.onCredentials(file);
    } catch (const std::exception& problem) {
      log::error("the certificates stay as they were why=\"{}\"", problem.what());
    }
  } else if (what == "stop") {
    using Reason = StopOrder::Reason;
    stop({.reason = order.at("reason") == "reload" ? Reason::Reload : Reason::Stop,
          .graceful = order.at("graceful"),
          .timeout = std::chrono::milliseconds(order.at("timeout_ms").get<std::int64_t>()),
          .over = std::chrono::milliseconds(order.at("over_ms").get<std::int64_t>())});
    if (!child_.stillAccepts) link_.send({{"report", "accepting-ended"}});
  }
}

void ChildLink::stop(StopOrder order) {
  if (child_.onStop) {
    child_.onStop(order);
  } else {
    child_.loop().stop();
  }
}

void ChildLink::onMasterExit() {
  log::warning("the master has ended, stopping slot={}", child_.slot());
  Timer::once(kStopWithoutMaster, [] { ::_exit(1); });
  stop({});
}

void ChildLink::reportRows(const std::string& kind, std::uint64_t request) {
  const std::vector<Json> rows =
      kind == "nodes" ? toJson(child_.onNodes) : toJson(child_.onConnections);
  std::size_t next = 0;
  do {
    Json chunk = Json::array();
    for (; next < rows.size() && chunk.size() < kRowsPerPacket; ++next) {
      chunk.push_back(rows[next]);
    }
    link_.send({{"report", kind},
                {"request", request},
                {"rows", std::move(chunk)},
                {"last", next == rows.size()}});
  } while (next < rows.size());
}

}  // namespace stormo::process
