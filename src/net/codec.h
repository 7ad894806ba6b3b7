#pragma once

#include <stormo/close_code.h>
#include <stormo/message.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "net/batch.h"

namespace stormo::net {

struct ConnectionImpl;

/// What a codec keeps of a connection between two reads; an idle connection has none.
struct CodecState {
  virtual ~CodecState() = default;
  /// Of a message that is not whole yet.
  [[nodiscard]] virtual std::size_t heldBytes() const = 0;
};

/// How one protocol turns a connection's bytes into messages and back. Shared by the connections of
/// an endpoint, so whatever belongs to one of them is in its CodecState.
class Codec {
 public:
  virtual ~Codec() = default;

  /// "websocket", "frame", …
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// A connection is there; messages may pass once ConnectionImpl::phase is Open.
  virtual void begin(ConnectionImpl&) const {}

  /// Takes bytes from the peer, handing each message on through the table, until all are taken, the
  /// connection is paused or closing, or ConnectionTable::spendOnFrame() says that its share of the
  /// turn is spent. Gives how many it took; the others are handed in again, with those that follow.
  /// May change the bytes that it takes.
  [[nodiscard]] virtual std::size_t receive(ConnectionImpl&, std::span<char> bytes) const = 0;

  /// Appends the bytes that carry `message`.
  virtual void encode(Message message, Batch&, OutputOrder&) const = 0;
  /// Whether both encode each message as the same bytes, so that one batch serves connections of
  /// both.
  [[nodiscard]] virtual bool encodesAs(const Codec& other) const { return this == &other; }

  /// Queues a goodbye, if the protocol has one. True if the peer answers it with its own.
  virtual bool sayGoodbye(ConnectionImpl&, CloseCode, std::string_view /*reason*/) const {
    return false;
  }

  /// Queues a sign of life that the peer must answer. False if the protocol has none.
  virtual bool ping(ConnectionImpl&) const { return false; }

  /// All output has left, of a peer with a CodecState.
  virtual void onDrained(ConnectionImpl&) const {}

  /// The peer did not finish its handshake in time.
  virtual void onHandshakeTimeout(ConnectionImpl&) const {}
};

}  // namespace stormo::net
