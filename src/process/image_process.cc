#include "process/image_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "process/child_process.h"
#include "process/image.h"
#include "process/json_pipe.h"
#include "process/packet_socket.h"
#include "process/shared_counters.h"
#include "process/signals.h"
#include "process/take_variable.h"
#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::process {
namespace {

Json receive(int fd, UniqueFd& descriptor) {
  static std::array<char, JsonPipe::kPacketBytesMax> packet;
  ssize_t size = 0;
  do {
    size = receivePacket(fd, packet, descriptor);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return nullptr;
  return Json::parse(packet.data(), packet.data() + size, nullptr, false);
}

void send(int fd, const Json& report) {
  sendPacket(fd, report.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string roleText(const Json& declaration) {
  return fmt::format("{} '{}' on {}", declaration.at("kind").get<std::string>(),
                     declaration.at("name").get<std::string>(),
                     fmt::join(declaration.at("listen").get<std::vector<std::string>>(), ", "));
}

void requireSameRoles(const Json& running, const Program& program) {
  constexpr const char* kRemedy = " (for that use restart)";
  for (std::size_t i = 0; i < std::max(running.size(), program.roles.size()); ++i) {
    const Json ours = i < program.roles.size() ? declarationOf(program.roles[i]) : Json();
    const Json theirs = i < running.size() ? running[i] : Json();
    if (ours == theirs) continue;
    if (ours.is_null()) {
      throw std::runtime_error(
          fmt::format("the new program has no {}{}", roleText(theirs), kRemedy));
    }
    if (theirs.is_null()) {
      throw std::runtime_error(
          fmt::format("the new program has one more {}{}", roleText(ours), kRemedy));
    }
    throw std::runtime_error(fmt::format("the new program has {}, in place of {}{}", roleText(ours),
                                         roleText(theirs), kRemedy));
  }
}

void adoptCredentials(const Role& role, const UniqueFd& file) {
  try {
    if (role.credentials != nullptr) role.credentials->adopt(file);
  } catch (const std::exception& problem) {
    log::error("the new program keeps its own certificates why=\"{}\"", problem.what());
  }
}

/// A fork whose child has the parent of this process, the master. There is one thread, so the locks
/// of the C library are free. Nothing else in fork(3) matters here.
pid_t forkForParent() {
  std::fflush(nullptr);
  return static_cast<pid_t>(
      ::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

}  // namespace

Json declarationOf(const Role& role) {
  Json labels = Json::array();
  for (const Listening& each : role.listen) labels.push_back(each.label);
  return {{"kind", kindText(role.kind)}, {"name", role.name}, {"listen", std::move(labels)}};
}

std::optional<ImageLink> ImageLink::ofThisProcess() {
  const auto value = takeVariable(Image::kVariable);
  if (!value) return std::nullopt;
  UniqueFd fd(std::atoi(value->c_str()));
  ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  UniqueFd none;
  auto first = std::make_unique<Json>(receive(fd.get(), none));
  if (!first->is_object()) return std::nullopt;
  for (const int inherited : first->at("inherited")) ::fcntl(inherited, F_SETFD, FD_CLOEXEC);
  return ImageLink(std::move(fd), std::move(first));
}

ImageLink::ImageLink(UniqueFd fd, std::unique_ptr<Json> first)
    : fd_(std::move(fd)), first_(std::move(first)) {}
ImageLink::ImageLink(ImageLink&&) noexcept = default;
ImageLink::~ImageLink() = default;

std::map<std::string, std::string> ImageLink::files() const {
  return first_->at("files").get<std::map<std::string, std::string>>();
}

void ImageLink::reportFailure(std::string_view why) const {
  send(fd_.get(), {{"report", "failed"}, {"why", why}});
}

void ImageLink::serve(const Program& program) const {
  if (first_->at("version") != Image::kVersion) {
    throw std::runtime_error(
        "the new program was made with another version of Stormo (use restart)");
  }
  requireSameRoles(first_->at("roles"), program);
  for (const auto& [path, fd] : first_->at("held").items()) {
    adoptHeldSocket(path, UniqueFd(fd.get<int>()));
  }
  discardMasterSignals();
  log::setRole("program");
  ::prctl(PR_SET_NAME, "program");
  send(fd_.get(), {{"report", "declared"}});
  while (true) {
    UniqueFd descriptor;
    const Json order = receive(fd_.get(), descriptor);
    if (!order.is_object()) break;
    if (order.at("order") == "log-file") {
      log::useFile(std::move(descriptor));
      continue;
    }
    const Role& role = program.roles.at(order.at("role").get<std::size_t>());
    if (order.at("order") == "start") {
      startChild(role, order, std::move(descriptor));
    } else if (order.at("order") == "credentials") {
      adoptCredentials(role, descriptor);
    } else if (order.at("order") == "slot-free" && role.onSlotFree) {
      role.onSlotFree(order.at("part"));
    }
  }
  ::_exit(0);
}

void ImageLink::startChild(const Role& role, const Json& order, UniqueFd link) const {
  const pid_t pid = forkForParent();
  if (pid > 0) return send(fd_.get(), {{"report", "started"}, {"pid", pid}});
  if (pid < 0) {
    return send(fd_.get(), {{"report", "started"},
                            {"pid", 0},
                            {"why", "cannot create a process: " + errorText(errno)}});
  }
  ::close(fd_.get());
  const auto listeners = order.at("listeners").get<Child::ListenersOfSlots>();
  // Never destroyed, as long as the process lives.
  auto* const counters = new SharedCounters(order.at("counters").get<int>());
  std::vector<const Counters*> siblings;
  for (const int fd : order.at("siblings")) siblings.push_back(&**new SharedCounters(fd));
  std::set<int> kept;
  for (const auto& row : listeners) kept.insert(row.begin(), row.end());
  for (const auto& [path, fd] : first_->at("held").items()) kept.insert(fd.get<int>());
  kept.insert(first_->at("children_lock").get<int>());
  for (const int fd : first_->at("inherited")) {
    if (!kept.contains(fd)) ::close(fd);
  }
  runChild({.role = role,
            .slot = order.at("slot"),
            .part = order.at("part"),
            .counters = **counters,
            .listeners = listeners,
            .siblings = std::move(siblings),
            .stateDirectory = -1,
            .linkedWithin = std::chrono::milliseconds(order.at("linked_within_ms").get<int>()),
            .link = std::move(link)});
}

}  // namespace stormo::process
