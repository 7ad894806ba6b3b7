#pragma once

#include <cstdint>
#include <memory>

#include "channel/nats/nats_connection.h"

namespace stormo::channel {

/// What libnats calls back, by a number that it keeps as its closure. Its threads may still call
/// back after a connection or subscription was destroyed: then the number is unknown, and nothing
/// happens. All functions may be called on any thread.
class NatsCallbacks {
 public:
  static std::uint64_t add(const NatsLibrary& library, NatsConnection::Handlers handlers);
  static std::uint64_t add(const NatsLibrary& library, NatsConnection::MessageHandler onMessage);
  static void remove(std::uint64_t number);
  static void* closure(std::uint64_t number);

  // For libnats, with a closure:

  static void onClosed(natsConnection* connection, void* closure);
  static void onLameDuck(natsConnection* connection, void* closure);
  static void onError(natsConnection* connection, natsSubscription* subscription, natsStatus status,
                      void* closure);
  static void onMessage(natsConnection* connection, natsSubscription* subscription,
                        natsMsg* message, void* closure);

 private:
  struct Entry;
  static std::uint64_t add(Entry entry);
  static std::shared_ptr<const Entry> find(const void* closure);
};

}  // namespace stormo::channel
