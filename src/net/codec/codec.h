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
class CodecSession;
struct RefusalAnswer;

/// What a codec keeps of a connection between two reads; an idle connection has none.
struct CodecState {
  virtual ~CodecState() = default;
  /// Bytes held of a message that is not whole yet.
  [[nodiscard]] virtual std::size_t heldBytes() const = 0;
  /// The bytes that the codec leaves wait for this program: the peer is not slow.
  [[nodiscard]] virtual bool awaitsProgram() const { return false; }
};

/// What a codec notes about the package at the front of the bytes that it has not taken, so that no
/// byte is examined twice.
struct CodecScan {
  std::size_t searchedBytes = 0;  ///< The length that was examined, and did not decide.
  std::size_t expectedBytes = 0;  ///< The package's length, once that is known.
};

/// How one protocol turns a connection's bytes into messages and back. Shared by the connections of
/// an endpoint, so what concerns one connection is in its CodecState.
class Codec {
 public:
  virtual ~Codec() = default;

  /// "websocket", "frame", …
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// A connection was accepted or made. Messages may pass after CodecSession::open().
  virtual void begin(CodecSession&) const {}
  /// Whether onConnect waits for CodecSession::announce(). If not, it follows begin().
  [[nodiscard]] virtual bool announcesLater() const { return false; }

  /// Takes bytes from the peer and delivers the messages in them, until all are taken, the
  /// connection is paused or closing, or CodecSession::spendOnFrame() returns false. Returns how
  /// many bytes it took; the others come again, with those that follow. May change the bytes that
  /// it takes.
  [[nodiscard]] virtual std::size_t receive(CodecSession&, std::span<char> bytes) const = 0;

  /// False if encode() throws: a connection cannot be a member of a group.
  [[nodiscard]] virtual bool hasMessages() const { return true; }
  /// Appends the bytes that carry `message` to connections of that variant.
  virtual void encode(Message message, Variant variant, Batch&, OutputOrder&) const = 0;
  /// Appends the bytes that carry `message` to a connection whose OutputState::keepsContext the
  /// codec has set: they may refer to its earlier messages. What groups send does not.
  virtual void encodeNext(CodecSession& /*session*/, Message /*message*/) const {}
  /// Whether both encode each message of a variant as the same bytes, so that one batch serves
  /// connections of both.
  [[nodiscard]] virtual bool encodesAs(const Codec& other) const { return this == &other; }

  /// Whether a close frame states a code and a reason.
  [[nodiscard]] virtual bool hasCloseCodes() const { return false; }
  /// Queues the close frame of the protocol, if it has one. True if the peer answers with its own.
  virtual bool sendClose(CodecSession&, CloseCode, std::string_view /*reason*/) const {
    return false;
  }

  /// Queues a ping that the peer must answer. False if the protocol has none.
  virtual bool ping(CodecSession&) const { return false; }

  /// Whether receive() may CodecSession::spend() much more than the bytes that it takes.
  [[nodiscard]] virtual bool mayInflate() const { return false; }

  /// All output has left. Called only for a connection with a CodecState.
  virtual void onDrained(CodecSession&) const {}

  /// Whether the codec sets the deadlines of open connections, with CodecSession::setDeadline().
  [[nodiscard]] virtual bool keepsDeadlines() const { return false; }
  /// Then: the deadline has come, and nothing waits to be read. Without another setDeadline() it
  /// was the last.
  virtual void onDeadline(CodecSession&) const {}

  /// The process ends. True if the codec closes the connection itself, after the answer that this
  /// program still owes. An answer that has begun counts as one only without `endsStreams`.
  virtual bool closeWhenAnswered(CodecSession&, bool /*endsStreams*/) const { return false; }

  /// Whether answerRefusal() sends something.
  [[nodiscard]] virtual bool answersRefusals() const { return false; }
  /// A limit refuses the connection, whose handshake is not done: answers and closes it.
  virtual void answerRefusal(CodecSession&, const RefusalAnswer&) const {}

  /// The peer did not finish its handshake in time.
  virtual void onHandshakeTimeout(CodecSession&) const {}

  /// The peer has ended the connection, which is not open yet.
  virtual void onHandshakeEnd(CodecSession&) const {}
};

}  // namespace stormo::net
