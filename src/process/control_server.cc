#include "process/control_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "process/instance.h"
#include "sys/address.h"
#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/sockets.h"

namespace stormo::process {

ControlServer::ControlServer(EventLoop& loop, std::string path, Handler handler)
    : loop_(loop), path_(std::move(path)), handler_(std::move(handler)) {
  listen();
  idleTimer_ = Timer::add(kIdleMax / 3, [this] { dropIdle(); });
}

void ControlServer::listen() {
  stopListening();
  const mode_t before = ::umask(0177);  // 0600 from the start on
  auto listener = listenOn(Address::unixPath(path_).value());
  ::umask(before);
  if (!listener) {
    throw std::runtime_error(fmt::format("cannot make the control socket {}: {}", path_,
                                         errorText(listener.error().code.value())));
  }
  listener_ = std::move(*listener);
  file_.reset(::open(path_.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  watch_ = loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { onConnect(); });
}

bool ControlServer::isReachable() const { return isFileAt(path_, file_.get()); }

ControlServer::~ControlServer() {
  while (!clients_.empty()) drop(clients_.begin()->first);
  Timer::cancel(idleTimer_);
  stopListening();
}

void ControlServer::stopListening() {
  if (!listener_.valid()) return;
  if (watch_ != 0) loop_.unwatch(std::exchange(watch_, 0));
  if (resumeTimer_ != 0) Timer::cancel(std::exchange(resumeTimer_, 0));
  listener_.reset();
  if (isReachable()) ::unlink(path_.c_str());  // another master may have replaced it
  file_.reset();
}

/// Without free descriptors the client stays in the kernel's queue, and would wake the loop at once
/// again and again.
void ControlServer::pause() {
  log::error("cannot accept a command reason=\"{}\" (raise the open files limit)",
             errorText(errno));
  loop_.unwatch(std::exchange(watch_, 0));
  resumeTimer_ = Timer::once(kPauseWithoutFiles, [this] {
    resumeTimer_ = 0;
    watch_ = loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { onConnect(); });
  });
}

void ControlServer::abandon() {
  listener_.reset();
  file_.reset();
  for (auto& [id, client] : clients_) client.fd.reset();
}

void ControlServer::onConnect() {
  UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) pause();
    return;
  }
  if (clients_.size() >= kClientsMax) return;
  const std::uint64_t id = ++nextId_;
  Client& client = clients_[id];
  client.lastMove = loop_.now();
  client.fd = std::move(fd);
  client.watch = loop_.watch(client.fd.get(), EPOLLIN,
                             [this, id](std::uint32_t events) { onReady(id, events); });
}

void ControlServer::onReady(std::uint64_t id, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) flush(id);
  const auto found = clients_.find(id);
  if (found == clients_.end() || (events & ~std::uint32_t{EPOLLOUT}) == 0) return;
  Client& client = found->second;
  char bytes[4096];
  const ssize_t size = ::recv(client.fd.get(), bytes, sizeof bytes, 0);
  if (size < 0 && errno == EAGAIN) return;
  if (size <= 0) return drop(id);
  client.input.append(bytes, static_cast<std::size_t>(size));
  client.lastMove = loop_.now();
  if (client.input.size() > kRequestBytesMax) return drop(id);
  handleInput(id);
}

void ControlServer::handleInput(std::uint64_t id) {
  const auto found = clients_.find(id);
  if (found == clients_.end() || found->second.waiting) return;
  Client& client = found->second;
  const std::size_t end = client.input.find('\n');
  if (end == std::string::npos) return;
  const std::string line = client.input.substr(0, end);
  client.input.erase(0, end + 1);
  client.waiting = true;
  const Json request = Json::parse(line, nullptr, false);
  if (!request.is_object())
    return answer(id, {{"error", "a request is one JSON object on one line"}});
  try {
    handler_(request, [this, id](const Json& text) { answer(id, text); });
  } catch (const Json::exception& wrong) {
    answer(id, {{"error", fmt::format("invalid request: {}", wrong.what())}});
  }
}

void ControlServer::answer(std::uint64_t id, const Json& answer) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  Client& client = found->second;
  client.waiting = false;
  client.lastMove = loop_.now();
  client.output += answer.dump(-1, ' ', false, Json::error_handler_t::replace);
  client.output += '\n';
  // Later: the caller may still use this client.
  loop_.defer([this, id] {
    flush(id);
    handleInput(id);
  });
}

void ControlServer::flush(std::uint64_t id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  Client& client = found->second;
  if (client.output.empty()) return;
  const ssize_t sent = ::send(client.fd.get(), client.output.data() + client.outputSent,
                              client.output.size() - client.outputSent, MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return drop(id);
  if (sent > 0) {
    client.outputSent += static_cast<std::size_t>(sent);
    client.lastMove = loop_.now();
  }
  const bool done = client.outputSent == client.output.size();
  if (done) {
    client.output.clear();
    client.outputSent = 0;
  }
  loop_.rewatch(client.watch, done ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void ControlServer::drop(std::uint64_t id) {
  const auto found = clients_.find(id);
  if (found == clients_.end()) return;
  loop_.unwatch(found->second.watch);
  clients_.erase(found);
}

void ControlServer::dropIdle() {
  std::vector<std::uint64_t> idle;
  for (const auto& [id, client] : clients_) {
    if (!client.waiting && loop_.now() - client.lastMove > kIdleMax) idle.push_back(id);
  }
  for (const std::uint64_t id : idle) drop(id);
}

}  // namespace stormo::process
