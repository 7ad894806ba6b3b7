#include "process/image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "process/json_pipe.h"
#include "process/packet_socket.h"
#include "sys/error_text.h"

namespace stormo::process {
namespace {

/// From its execution to the declaration of its roles. The old workers go on meanwhile.
constexpr std::chrono::seconds kDeclaredWithin{30};
/// The master waits so long for a fork, which takes a millisecond.
constexpr std::chrono::seconds kForkedWithin{5};

Json receiveReport(int fd) {
  static std::array<char, JsonPipe::kPacketBytesMax> packet;
  UniqueFd none;
  const ssize_t size = receivePacket(fd, packet, none);
  if (size <= 0) return nullptr;
  return Json::parse(packet.data(), packet.data() + size, nullptr, false);
}

}  // namespace

Image::Image(EventLoop& loop, const Setup& setup, std::function<void(const std::string&)> onOutcome)
    : loop_(loop), onOutcome_(std::move(onOutcome)), file_(ProgramFile::at(setup.program.path)) {
  if (!file_) {
    throw std::runtime_error(
        fmt::format("cannot start {}: {}", setup.program.path, errorText(errno)));
  }
  auto ends = JsonPipe::pair();
  std::fflush(nullptr);
  pid_ = ends ? ::fork() : -1;
  if (pid_ < 0) {
    throw std::runtime_error(fmt::format("cannot create a process: {}", errorText(errno)));
  }
  if (pid_ == 0) {
    setup.inChild();
    execute(setup, std::move(ends->second));
  }
  link_ = std::move(ends->first);
  const std::string first = setup.first.dump(-1, ' ', false, Json::error_handler_t::replace);
  // EPIPE: it has ended already. Its report or its status states why.
  if (sendPacket(link_.get(), first) < 0 && errno != EPIPE) {
    const std::string why = errorText(errno);
    ::kill(pid_, SIGKILL);
    throw std::runtime_error("cannot hand over to the new program: " + why);
  }
  watch_ = loop_.watch(link_.get(), EPOLLIN, [this](std::uint32_t) { onReadable(); });
  deadline_ = Timer::once(kDeclaredWithin, [this] {
    deadline_ = 0;
    finish(fmt::format("the new program declares no workers within {} s", kDeclaredWithin.count()));
  });
}

Image::~Image() {
  if (watch_ != 0) loop_.unwatch(watch_);
  if (deadline_ != 0) Timer::cancel(deadline_);
  if (pid_ != 0) ::kill(pid_, SIGKILL);
}

void Image::execute(const Setup& setup, UniqueFd link) {
  std::vector<char*> words;
  for (const std::string& word : setup.program.words)
    words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  for (const int fd : setup.inherited) ::fcntl(fd, F_SETFD, 0);
  // Blocking from here on: the image waits for orders.
  ::fcntl(link.get(), F_SETFD, 0);
  ::fcntl(link.get(), F_SETFL, ::fcntl(link.get(), F_GETFL) & ~O_NONBLOCK);
  ::setenv(kVariable, std::to_string(link.get()).c_str(), 1);
  if (::chdir(setup.program.directory.c_str()) == 0) {
    ::execv(setup.program.path.c_str(), words.data());
  }
  const Json report = {
      {"report", "failed"},
      {"why", fmt::format("cannot start {}: {}", setup.program.path, errorText(errno))}};
  sendPacket(link.get(), report.dump());
  ::_exit(1);
}

void Image::onReadable() {
  const Json report = receiveReport(link_.get());
  if (report.is_null()) {  // its end follows, with its status
    loop_.unwatch(std::exchange(watch_, 0));
    return;
  }
  if (report.value("report", "") == "declared") return finish("");
  finish(report.value("why", "the new program cannot be understood"));
}

void Image::onEnded(const std::string& why) {
  pid_ = 0;
  if (!onOutcome_) return;
  // The signal may be handled before the last report.
  const Json report = receiveReport(link_.get());
  const bool hasFailed = report.is_object() && report.value("report", "") == "failed";
  finish(hasFailed ? report.value("why", "") : "the new program " + why);
}

void Image::finish(const std::string& why) {
  if (watch_ != 0) loop_.unwatch(std::exchange(watch_, 0));
  if (deadline_ != 0) Timer::cancel(std::exchange(deadline_, 0));
  if (const auto call = std::exchange(onOutcome_, {})) call(why);
}

pid_t Image::startChild(const Json& order, const UniqueFd& link, std::string& why) const {
  why = "the process of the new program does not answer";
  if (sendPacket(link_.get(), order.dump(), link) < 0) return 0;
  pollfd ready{.fd = link_.get(), .events = POLLIN, .revents = 0};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(kForkedWithin);
  if (::poll(&ready, 1, static_cast<int>(wait.count())) != 1) return 0;
  const Json report = receiveReport(link_.get());
  if (!report.is_object()) return 0;
  why = report.value("why", "");
  return report.value("pid", 0);
}

void Image::useLogFile(const UniqueFd& file) const {
  sendPacket(link_.get(), Json{{"order", "log-file"}}.dump(), file);
}

void Image::useCredentials(std::size_t role, const UniqueFd& file) const {
  sendPacket(link_.get(), Json{{"order", "credentials"}, {"role", role}}.dump(), file);
}

void Image::freeSlot(std::size_t role, int part) const {
  sendPacket(link_.get(), Json{{"order", "slot-free"}, {"role", role}, {"part", part}}.dump());
}

void Image::abandon() {
  link_.reset();
  pid_ = 0;
}

}  // namespace stormo::process
