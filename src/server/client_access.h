#pragma once

#include <memory>
#include <optional>
#include <string>

#include "access/token.h"
#include "server/access_control.h"

namespace stormo::server {

/// Of one client of a server with keys.
struct AccessControl::ClientAccess {
  std::unique_ptr<access::Token> token;  // null: none was shown
  std::string problem;                   // of the token that it had at connect
  std::string undecided;                 // that token, while its key is not known
  bool isKeyUnknown = false;             // of the latest token
  bool hasWaited = false;                // for the key of the token that it shows now
  access::UnixSeconds since = 0;
  bool isNoticed = false;                  // of the token's end
  std::optional<access::UnixSeconds> due;  // in due_
};

}  // namespace stormo::server
