#include "support/nats_server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <future>
#include <stdexcept>
#include <utility>

#include "channel/nats/nats_connection.h"

namespace stormo::test {
namespace {

// Users other than root do not have Debian's in their PATH.
const char* program() {
  const char* const other = std::getenv("NATS_SERVER");
  return other == nullptr ? "/usr/sbin/nats-server" : other;
}

}  // namespace

bool isNatsServerInstalled() { return ::access(program(), X_OK) == 0; }

NatsServer::NatsServer(const Deadline& deadline, std::string configuration, std::string store)
    : deadline_(deadline),
      configuration_(std::move(configuration)),
      store_(store.empty() ? directory_.file("store") : std::move(store)) {
  start();
}

void NatsServer::start() {
  const std::string file = directory_.file("server.conf");
  std::string rest = configuration_;
  for (std::size_t at = 0; (at = rest.find("{dir}")) != std::string::npos;) {
    rest.replace(at, 5, directory_.path());
  }
  std::ofstream(file) << fmt::format("listen: \"127.0.0.1:{}\"\n{}",
                                     port_ == 0 ? "-1" : std::to_string(port_), rest);
  program_ =
      std::make_unique<SpawnedProgram>(deadline_, Words{program(), "-c", file, "-sd", store_});
  const auto isReady = [this] {
    return program_->statusIfEnded() ||
           program_->errors().find("Server is ready") != std::string::npos;
  };
  if (!eventually(deadline_, isReady) || program_->statusIfEnded()) {
    throw std::runtime_error("nats-server does not start: " + program_->errors());
  }
  const std::string log = program_->errors();
  constexpr std::string_view kBeforePort = "client connections on 127.0.0.1:";
  const std::size_t at = log.find(kBeforePort);
  if (at == std::string::npos) throw std::runtime_error("nats-server has no port: " + log);
  std::from_chars(log.data() + at + kBeforePort.size(), log.data() + log.size(), port_);
}

void NatsServer::kill() {
  program_->signal(SIGKILL);
  program_->waitForOwnEnd();
}

std::string NatsServer::url(std::string_view login, std::string_view scheme) const {
  return fmt::format("{}://{}{}127.0.0.1:{}", scheme, login, login.empty() ? "" : "@", port_);
}

std::string NatsServer::request(const std::string& subject, const std::string& body,
                                std::chrono::milliseconds patience) const {
  using channel::NatsConnection;
  std::string problem;
  const channel::NatsLibrary* const library = channel::NatsLibrary::load(problem);
  if (library == nullptr) throw std::runtime_error(problem);
  const auto connection = NatsConnection::connect(*library, {}, channel::parseServerUrl(url()),
                                                  {.onClosed = [](const std::string&) {},
                                                   .onLameDuck = [] {},
                                                   .onServerError = [](const std::string&) {}},
                                                  problem);
  if (!connection) throw std::runtime_error(problem);
  auto answered = std::make_shared<std::promise<std::string>>();
  auto answer = answered->get_future();
  const std::string inbox = connection->newInbox();
  const auto subscription = connection->subscribe(inbox, [library, answered](
                                                             const channel::NatsMessage& message) {
    answered->set_value({library->natsMsg_GetData(message.get()),
                         static_cast<std::size_t>(library->natsMsg_GetDataLength(message.get()))});
  });
  connection->publish(subject, inbox, body);
  if (answer.wait_for(std::min(patience, deadline_.left())) != std::future_status::ready) return {};
  return answer.get();
}

}  // namespace stormo::test
