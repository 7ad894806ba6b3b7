#pragma once

#include <stormo/access.h>
#include <stormo/connection.h>
#include <stormo/timer.h>
#include <stormo/websocket.h>
#include <stormo/worker.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/token_verifier.h"
#include "server/group_rules.h"

namespace stormo::server {

/// A client that does not show a token, or whose token is not accepted or has expired: it needs
/// another one before it connects again.
inline constexpr CloseCode kUnauthorized{4401};
inline constexpr std::string_view kRevokedText = "the token has been revoked";

/// A client whose user has too many connections: Limits::connectionsPerUser.
inline constexpr CloseCode kTooManyOfUser{4429};
inline constexpr std::string_view kTooManyOfUserText = "too many connections of this user";

/// Who the clients of a worker are, and what they may do, by their tokens and by rules. Without
/// keys the clients have no state here; without rules, too, everybody may do everything.
class AccessControl {
 public:
  using UnixSeconds = access::UnixSeconds;

  /// `worker` must outlive this. Throws std::invalid_argument, with a sentence for
  /// the user, if a key or a rule cannot be used.
  AccessControl(Worker& worker, AccessOptions options);
  ~AccessControl();
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  /// Seconds since 1970; for tests.
  std::function<UnixSeconds()> clock;
  /// The client's token expires after that time, or has expired.
  std::function<void(Connection& client, std::chrono::seconds left)> onExpiring;

  /// A token's key is not known: see GroupServer::onUnknownKey. A client that waited is passed to
  /// one of the two others when its wait is over: with the message that it had sent, or if it had
  /// connected with its token, to be opened.
  std::function<bool()> onUnknownKey;
  std::function<void(Connection& client, Message message)> onMessageAgain;
  std::function<void(Connection& client)> onOpenAgain;
  /// A token that is valid otherwise must not be accepted. Empty: none.
  std::function<bool(const access::Token& token, UnixSeconds now)> isRevoked;

  [[nodiscard]] bool isClosed() const { return verifier_.has_value(); }
  /// There are neither keys nor rules.
  [[nodiscard]] bool isOpen() const { return isOpen_; }
  /// Reads the token of a client that connects.
  void onHandshake(Connection& client, const WebSocketHandshake& handshake);
  /// Its upgrade was answered. Returns its token, which is valid until the client has another one;
  /// null if it has shown none, or waits for keys. Closes it if its token is not accepted.
  const access::Token* onOpen(Connection& client);
  /// The client shows another token. Empty if it is accepted, else a sentence for the client, whose
  /// earlier token stays.
  [[nodiscard]] std::string refresh(Connection& client, std::string_view text);
  /// True if the client, which shows this token with that message, waits for keys.
  [[nodiscard]] bool waitsForKey(Connection& client, std::string_view token, Message message);
  void onClose(Connection& client);

  // As those of GroupServer.
  void setKeys(const std::vector<TokenKey>& keys);
  void endKeySearch();

  [[nodiscard]] bool allows(Connection& client, access::May what, std::string_view group) const {
    return isOpen_ || judges(client, what, group);
  }
  /// The message as it is published: in its envelope if a rule states that, which is then valid
  /// until the next call.
  [[nodiscard]] std::string_view enclosed(Connection& client, std::string_view group,
                                          std::string_view message) {
    return rules_ && rules_->haveEnvelopes() ? enclose(client, group, message) : message;
  }
  /// In seconds since 1970. Without keys it is not kept: 0.
  [[nodiscard]] static UnixSeconds connectedAt(Connection& client);
  /// Null if the client has shown no token. Later tokens have the same address, and user.
  [[nodiscard]] static const access::Token* tokenOf(Connection& client);

 private:
  struct ClientAccess;

  [[nodiscard]] bool judges(Connection& client, access::May what, std::string_view group) const;
  std::string_view enclose(Connection& client, std::string_view group, std::string_view message);
  /// True while newer keys are looked for, which it may start.
  bool searchKeys();
  void waitForKeys(Connection& client, std::string message);
  std::string accept(ClientAccess& client, std::string_view text);
  void schedule(Connection& client, ClientAccess& state);
  void unschedule(const Connection& client, ClientAccess& state);
  void onTick();
  /// Does what is due, and returns when the client is to be looked at again; nothing if never.
  std::optional<UnixSeconds> attend(Connection& client, ClientAccess& state);

  Worker& worker_;
  const AccessOptions options_;
  std::optional<access::TokenVerifier> verifier_;
  /// A client that is not read until the search for keys ends.
  struct Waiting {
    ConnectionId client;
    std::string message;  // empty: it has connected with its token
  };
  std::vector<Waiting> waiting_;
  Timer::Id search_ = 0;  // not 0 while keys are looked for; it bounds that time
  std::optional<GroupRules> rules_;
  bool isOpen_;
  std::string envelope_;
  std::set<std::pair<UnixSeconds, ConnectionId>> due_;  // each client at most once
  Timer::Id tick_ = 0;                                  // while due_ has clients
};

}  // namespace stormo::server
