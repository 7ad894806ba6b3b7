#include <stormo/channel/server.h>

#include <algorithm>
#include <stdexcept>

#include "sys/address.h"

namespace stormo::channel {
namespace {

std::vector<Server*>& servers() {
  static std::vector<Server*> servers;
  return servers;
}

std::string urlOf(const std::string& host, std::uint16_t port) {
  if (host.starts_with("unix://")) return parseSocketUrl(host).text();
  if (!Address::ip(host, port)) {
    throw std::invalid_argument("the Channel cannot listen on '" + host +
                                "' (write an IPv4 or IPv6 address, or unix:///path)");
  }
  return SocketUrl{.scheme = "frame", .host = host, .port = port}.text();
}

}  // namespace

Server::Server(std::string host, std::uint16_t port) : url_(urlOf(host, port)) {
  servers().push_back(this);
}

Server::~Server() { std::erase(servers(), this); }

const std::vector<Server*>& Server::declared() { return servers(); }

}  // namespace stormo::channel
