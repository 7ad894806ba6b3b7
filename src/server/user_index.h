#pragma once

#include <stormo/connection_id.h>

#include <set>
#include <string_view>

#include "access/token.h"

namespace stormo::server {

/// The clients of a worker that have a user, by user: in the order of the users' bytes.
class UserIndex {
 public:
  /// The token belongs to the client, and keeps its address and its user until remove(). A second
  /// call has no effect: returns false.
  bool add(ConnectionId client, const access::Token& token) {
    return clients_.insert({.token = &token, .client = client}).second;
  }
  /// Returns false if it is not here.
  bool remove(ConnectionId client, const access::Token& token) {
    return clients_.erase({.token = &token, .client = client}) > 0;
  }

  /// Calls `visit(ConnectionId)` for the clients of the user; some may be closing. It must not add
  /// or remove clients.
  template <typename Visit>
  void forEachClientOf(std::string_view user, const Visit& visit) const {
    for (auto each = clients_.lower_bound(user); each != clients_.end(); ++each) {
      if (each->user() != user) return;
      visit(each->client);
    }
  }
  /// Calls `visit(const Token&, ConnectionId)` for all clients from a user on, until it returns
  /// false. As above.
  template <typename Visit>
  void forEachFrom(std::string_view user, const Visit& visit) const {
    for (auto each = clients_.lower_bound(user); each != clients_.end(); ++each) {
      if (!visit(*each->token, each->client)) return;
    }
  }

 private:
  struct Entry {
    const access::Token* token;
    ConnectionId client;
    [[nodiscard]] std::string_view user() const { return token->user; }
  };
  struct ByUser {
    using is_transparent = void;
    bool operator()(const Entry& left, const Entry& right) const {
      const int order = left.user().compare(right.user());
      return order < 0 || (order == 0 && left.client < right.client);
    }
    bool operator()(const Entry& left, std::string_view right) const { return left.user() < right; }
    bool operator()(std::string_view left, const Entry& right) const { return left < right.user(); }
  };

  std::set<Entry, ByUser> clients_;
};

}  // namespace stormo::server
