#pragma once

#include <stormo/channel/cluster_settings.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "channel/nats/nats_library.h"
#include "channel/nats/server_url.h"

namespace stormo::channel {

/// One connection to one NATS server, which is not replaced when it is lost. Used on one thread
/// that may block, never on a loop.
class NatsConnection {
 public:
  /// Called on threads of libnats, also for a short time after the connection or subscription was
  /// destroyed: so they own what they use.
  struct Handlers {
    std::function<void(std::string reason)> onClosed;
    /// The server will end soon, and clients should use another one.
    std::function<void()> onLameDuck;
    /// The server has rejected something, as a permission's violation.
    std::function<void(std::string text)> onServerError;
  };
  using MessageHandler = std::function<void(NatsMessage)>;

  /// Messages arrive until it is destroyed, which must be before the connection is.
  class Subscription {
   public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    friend class NatsConnection;
    Subscription(const NatsLibrary& library, std::uint64_t callback, natsSubscription* subscription)
        : library_(library), callback_(callback), subscription_(subscription) {}
    const NatsLibrary& library_;
    const std::uint64_t callback_;
    natsSubscription* const subscription_;  // of the connection
  };

  /// Blocks, for some seconds at most. Null if there is no connection: then `problem` is why, to
  /// follow the server's name and a colon. `library` outlives all.
  static std::unique_ptr<NatsConnection> connect(const NatsLibrary& library,
                                                 const ClusterSettings& settings,
                                                 const ServerUrl& url, Handlers handlers,
                                                 std::string& problem);
  ~NatsConnection();
  NatsConnection(const NatsConnection&) = delete;
  NatsConnection& operator=(const NatsConnection&) = delete;

  [[nodiscard]] natsConnection* raw() const { return connection_; }
  [[nodiscard]] std::size_t payloadBytesMax() const;
  /// A new subject for replies.
  [[nodiscard]] std::string newInbox() const;
  /// Null if it fails, as all does once the connection is closed. Messages are never dropped.
  [[nodiscard]] std::unique_ptr<Subscription> subscribe(const std::string& subject,
                                                        MessageHandler onMessage);

  // These write to the socket, in the order of the calls. `reply` and `id` may be empty.

  natsStatus publish(const std::string& subject, const std::string& reply, std::string_view data);
  natsStatus publishWithId(const std::string& subject, const std::string& reply,
                           const std::string& id, std::string_view data);
  /// Waits until the server has processed all that was published, or for `patience`.
  void flush(std::chrono::milliseconds patience);

 private:
  NatsConnection(const NatsLibrary& library, std::uint64_t callback)
      : library_(library), callback_(callback) {}

  const NatsLibrary& library_;
  const std::uint64_t callback_;
  natsConnection* connection_ = nullptr;
  // All that there were. libnats 3.4 crashes if one is freed while its reading thread has a message
  // for it (nats.c issue 637), so they are freed when that thread has ended.
  std::vector<natsSubscription*> subscriptions_;
};

}  // namespace stormo::channel
