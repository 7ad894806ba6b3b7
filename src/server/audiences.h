#pragma once

#include <stormo/audience.h>
#include <stormo/connection.h>
#include <stormo/worker.h>

#include <functional>
#include <string_view>
#include <vector>

#include "server/access_control.h"
#include "server/user_index.h"

namespace stormo::server {

/// The clients of a worker that belong to an audience. A client belongs to everybody once it is
/// connected, and with keys once it has shown a token.
class Audiences {
 public:
  Audiences(Worker& worker, const AccessControl& access) : worker_(worker), access_(access) {}

  /// The client has connected, or has another token. Returns true if it has a user from now on.
  bool admit(Connection& client);
  /// It is closed. Returns true if it had a user.
  bool remove(Connection& client);

  [[nodiscard]] bool isAdmitted(Connection& client) const {
    return client.isOpen() && (!access_.isClosed() || AccessControl::tokenOf(client) != nullptr);
  }
  /// Null if there is no such client, or it is closing.
  [[nodiscard]] Connection* clientOf(std::string_view id) const;
  /// Visits the clients of an audience that is no group. `visit` may close them.
  void forEach(const Audience& audience, const std::function<void(Connection&)>& visit) const;
  [[nodiscard]] const UserIndex& users() const { return users_; }

  // Of GroupMessage::except. Names that are malformed are passed over.

  [[nodiscard]] std::vector<Connection*> excepted(std::string_view except) const;
  [[nodiscard]] static bool isExcepted(Connection& client, std::string_view except);

 private:
  Worker& worker_;
  const AccessControl& access_;
  UserIndex users_;
};

}  // namespace stormo::server
