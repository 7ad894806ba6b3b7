#include <stormo/channel/server.h>

#include <algorithm>

#include "sys/address.h"

namespace stormo::channel {
namespace {

std::vector<Server*>& servers() {
  static std::vector<Server*> servers;
  return servers;
}

std::string urlOf(const std::string& host, std::uint16_t port) {
  if (host.starts_with("unix://")) return host;
  return SocketUrl{.scheme = "frame", .host = host, .port = port}.text();
}

}  // namespace

Server::Server(std::string host, std::uint16_t port) : url_(urlOf(host, port)) {
  servers().push_back(this);
}

Server::~Server() { std::erase(servers(), this); }

const std::vector<Server*>& Server::declared() { return servers(); }

}  // namespace stormo::channel
