#pragma once

#include <string>
#include <string_view>

#include "integration/harness/tcp_peer.h"
#include "integration/harness/v1_client.h"
#include "integration/harness/with_stormo.h"

namespace stormo::integration {

/// An answer of the HTTP API.
struct ApiAnswer {
  int status = 0;    ///< 0: the response was not complete.
  std::string head;  ///< The status line and the headers.
  Json body;
};

/// The answer in a whole HTTP response.
ApiAnswer apiAnswerIn(std::string_view response);

/// One request of a connection of its own. `headers`: whole lines.
std::string apiRequest(const std::string& requestLine, const std::string& headers,
                       const std::string& body = {});

/// A test with one `stormo` that has the HTTP API on a free port: docs/api.md.
class WithApi : public WithStormo {
 protected:
  using Answer = ApiAnswer;
  using WithStormo::WithStormo;

  /// With two workers, unless the options state another number.
  void startWithApi(const Words& options = {});
  /// The same, on a server that accepts the tokens of tokenOf().
  void startWithTokens(const Words& options = {});
  /// A token with these claims.
  static std::string tokenOf(const Json& claims);
  /// A token of that user, who may do everything in all groups.
  static std::string tokenOfUser(const std::string& user);
  /// The key of this machine and the ports, of a program that was started in another way.
  void readKeyAndPorts();
  [[nodiscard]] std::string instanceFile(const std::string& name) const {
    return stormo.folder() + "/run/stormo/" + name;
  }
  /// Writes a file of the test, and returns its path.
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const;

  /// A request with the machine's key. Throws if there is no complete answer.
  Answer call(const std::string& requestLine, const std::string& body = {},
              const std::string& headers = {}) const;
  Answer callWith(const std::string& headers, const std::string& requestLine,
                  const std::string& body = {}) const;
  /// Sends a request with the machine's key, and does not wait for its answer.
  TcpPeer beginCall(const std::string& requestLine, const std::string& body = {},
                    const std::string& headers = {}) const;
  static Answer endCall(TcpPeer& call);
  /// Repeats a request with that Idempotency-Key until it is answered with 200, as a backend does
  /// while processes are killed.
  Answer callSurely(const std::string& requestLine, const std::string& body,
                    const std::string& idempotencyKey) const;
  [[nodiscard]] std::string authorization() const {
    return "Authorization: Bearer " + key + "\r\n";
  }

  /// Clients of stormo.v1 of that user, one on each of these workers, in their order. Their first
  /// event is `welcome`.
  std::vector<std::unique_ptr<V1Client>> clientsOn(const std::vector<pid_t>& workers,
                                                   const std::string& user);

  /// Those that run at the moment, in the order of their slots.
  std::vector<pid_t> apiPids();
  /// The processes with clients, of those that run at the moment.
  std::vector<pid_t> workerPids();
  /// Waits until one runs.
  pid_t channelPid();

  std::string key;
  std::uint16_t apiPort = 0;
  std::uint16_t port = 0;  ///< For WebSocket clients.
};

}  // namespace stormo::integration
