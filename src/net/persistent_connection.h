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

/// One connection that is made, and made again when it is lost, with a growing wait between
/// attempts. An attempt looks a host name up, without blocking the loop, and tries its addresses
/// one after the other. Belongs to the loop of its thread. Destroying it closes the connection and
/// calls nothing any more; it may be destroyed after its loop.
class PersistentConnection {
 public:
  /// `codec` outlives this.
  PersistentConnection(SocketUrl url, const Codec& codec);
  ~PersistentConnection();
  PersistentConnection(const PersistentConnection&) = delete;
  PersistentConnection& operator=(const PersistentConnection&) = delete;

  // Set before connect(). onConnect, onClose and onError of the endpoint's handlers are this
  // class's own.
  Endpoint endpoint;
  std::chrono::milliseconds retryFirst{1000};  ///< Zero: no retry.
  /// The wait is doubled up to this, then and when a connection lasted for less than this. It
  /// varies by a quarter, so that those who lost the same peer do not all come back at once.
  std::chrono::milliseconds retryMax{30'000};
  std::function<void(Connection&)> onConnect;
  std::function<void(Connection&)> onClose;  ///< Of a connection that was there.
  std::function<void(const Error&)> onError;
  NameLookup::Resolve resolve = Address::resolve;  ///< Runs in another thread.

  /// No-op while connecting, connected, or waiting to try again. Calls no handler.
  void connect();
  void close();
  /// The connection while it is usable, else null.
  [[nodiscard]] ConnectionImpl* peer() const;
  /// False once its loop is gone: then there is nothing but its destruction left.
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
