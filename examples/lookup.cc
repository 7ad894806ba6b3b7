// Blocking work in a thread: a line is a host name, the reply is its address.
//
//     $ ./lookup start --port 1238
//     $ nc 127.0.0.1 1238
//     localhost
//     localhost is 127.0.0.1
#include <arpa/inet.h>
#include <netdb.h>
#include <stormo/stormo.h>

#include <cstdint>
#include <stdexcept>
#include <string>

using namespace stormo;

/// Blocks until the name servers have replied.
std::string addressOf(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) throw std::runtime_error(::gai_strerror(error));
  char text[INET_ADDRSTRLEN] = {};
  const auto* address = reinterpret_cast<const sockaddr_in*>(found->ai_addr);
  ::inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
  ::freeaddrinfo(found);
  return text;
}

int main(int argc, char** argv) {
  ProgramOptions options(argc, argv, {.version = "1.0", .description = "Looks up host names"});
  std::uint16_t port = 1238;
  options.add("--port", port, "Port that clients connect to");
  if (!options.parse()) return options.exitStatus();

  Worker worker("text://127.0.0.1:" + std::to_string(port));
  worker.name = "lookup";

  worker.onMessage = [&](Connection& connection, Message line) {
    const std::string host(line.data);
    // The client may have disconnected when the reply is ready, so it is found by its id.
    const auto reply = [&worker, host, id = connection.id()](const std::string& text) {
      Connection* client = worker.find(id);
      if (client != nullptr && client->send(host + text) == SendStatus::Full) client->destroy();
    };
    const auto status = runBlocking(
        [host] { return addressOf(host); },                                // in a thread
        [reply](const std::string& address) { reply(" is " + address); },  // on the loop
        [reply](const std::exception& error) { reply(std::string(": ") + error.what()); });
    if (status == BlockingStatus::Full) reply(": busy, try again later");
  };

  return Worker::runAll(options);
}
