#pragma once

#include <stormo/timer.h>

#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "net/connection_table.h"
#include "net/endpoint.h"
#include "net/name_lookup.h"
#include "sys/address.h"

namespace stormo::net {

/// One outgoing connection that is made again when it is lost, with growing waits between attempts.
/// An attempt looks a host name up, without blocking the loop, and tries its addresses one after
/// the other. Belongs to the loop of its thread. Destroying it closes the connection and calls no
/// handler; it may be destroyed after its loop.
class PersistentConnection {
 public:
  /// `codec` outlives this.
  PersistentConnection(SocketUrl url, const Codec& codec);
  ~PersistentConnection();
  PersistentConnection(const PersistentConnection&) = delete;
  PersistentConnection& operator=(const PersistentConnection&) = delete;

  /// For a URL with TLS: the server's certificate must be valid for its host. Throws
  /// std::invalid_argument if a file cannot be used.
  void useTls(const TlsClient& settings);

  // Set before connect(). onConnect, onClose and onError of the endpoint's handlers are set by this
  // class.
  Endpoint endpoint;
  std::chrono::milliseconds retryFirst{1000};  ///< Zero: no retry.
  /// The wait doubles up to this after each failure, and after a connection that lasted less than
  /// this. It varies by a quarter, so that clients that lost the same peer do not all reconnect at
  /// once.
  std::chrono::milliseconds retryMax{30'000};
  std::function<void(Connection&)> onConnect;
  std::function<void(Connection&)> onClose;  ///< Only after onConnect.
  std::function<void(const Error&)> onError;
  NameLookup::Resolve resolve = Address::resolve;  ///< Runs in another thread.

  /// No-op while connecting, connected, or waiting for the next attempt. Calls no handler.
  void connect();
  void close();
  /// The connection while it is usable, else null.
  [[nodiscard]] ConnectionImpl* connection() const;
  /// False once its loop is destroyed: then this can only be destroyed.
  [[nodiscard]] bool hasLoop() const { return !loop_.expired(); }

 private:
  void lookUp();
  Result<void> connectToNext();
  void forget(const Connection& connection);
  void failLater(const Error& error);
  void retryLater();
  [[nodiscard]] std::chrono::milliseconds variedWait();

  ConnectionTable& table_;
  std::weak_ptr<const void> loop_;
  SocketUrl url_;
  std::unique_ptr<NameLookup> lookup_;  // while a host name is looked up
  std::vector<Address> untried_;        // of this attempt, the next one last
  ConnectionId id_ = 0;
  bool wanted_ = false;
  Timer::Id retryTimer_ = 0;
  std::chrono::milliseconds wait_{0};
  TimePoint connectedAt_{};
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace stormo::net
