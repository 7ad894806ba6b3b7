#include <stormo/channel/server.h>

#include <algorithm>

#include "channel/server/declared_servers.h"
#include "sys/address.h"

namespace stormo::channel {
namespace {

std::string urlOf(const std::string& host, std::uint16_t port) {
  if (host.find("://") != std::string::npos) return host;
  return SocketUrl{.scheme = "frame", .host = host, .port = port}.text();
}

}  // namespace

Server::Server() { declaredServers().push_back(this); }

Server::Server(std::string host, std::uint16_t port) : url_(urlOf(host, port)) {
  declaredServers().push_back(this);
}

Server::~Server() { std::erase(declaredServers(), this); }

std::vector<Server*>& declaredServers() {
  static std::vector<Server*> servers;
  return servers;
}

}  // namespace stormo::channel
