#pragma once

#include <stormo/close_code.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/text/utf8.h"
#include "protocol/websocket/deflate.h"
#include "protocol/websocket/frame.h"

namespace stormo::websocket {

struct Limits {
  std::uint64_t messageBytesMax;  ///< Maximum bytes of one message, all its fragments together.
  /// Negotiated: messages may be compressed. Their payloads have at most
  /// compressedBytesMax(messageBytesMax) bytes, and what inflates them limits the inflated size.
  Compression compression = Compression::Off;
  Sender sender = Sender::Client;  ///< The side whose frames are decoded.
};

enum class Event {
  NeedMore,
  Fragment,  ///< A fragment has ended and another one must follow. There is nothing to handle.
  Message,
  Ping,
  Pong,
  Close,
  Violation,  ///< The peer broke the protocol or a limit: close with `code`.
};

struct Decoded {
  Event event = Event::NeedMore;
  bool binary = false;  ///< Of a Message.
  /// The payload of a Message is compressed: inflate() it. It was not checked to be UTF-8.
  bool compressed = false;
  /// The content of a Message, Ping or Pong; the peer's reason of a Close. A view into `in` or into
  /// the decoder: valid until the decoder is called again, moved or destroyed.
  std::string_view payload = {};
  CloseCode code = CloseCode::NoStatus;  ///< Close: the peer's, or NoStatus. Violation: ours.
  const char* reason = "";               ///< Violation: a literal, at most 123 bytes.
};

/// Turns the byte stream of a client, or of a server (Limits::sender), cut anywhere, into messages
/// and control frames (RFC 6455 5, 8.1). The sequence of events does not depend on where the stream
/// is cut.
///
/// A complete unfragmented frame is unmasked in place and never copied. Of other messages the
/// decoder keeps the received part: memory follows the bytes received, never the length that a
/// header states, and is limited by messageBytesMax. Text is validated as it arrives, before its
/// frame is complete.
class Decoder {
 public:
  /// Takes bytes from the front of `in`, which it advances and unmasks in place, up to and
  /// including one event. NeedMore: all of `in` was taken. Must not be called again after Close or
  /// Violation.
  [[nodiscard]] Decoded next(std::span<char>& in, const Limits& limits);

  /// True if nothing partial is held: the decoder may be destroyed and a new one used instead. An
  /// idle connection needs none.
  [[nodiscard]] bool atRest() const { return state_ == State::AtRest; }
  /// Bytes held of the incomplete message.
  [[nodiscard]] std::size_t heldBytes() const { return atRest() ? 0 : message_.size(); }

 private:
  enum class State : std::uint8_t {
    AtRest,     // between messages, no byte of a frame seen
    InMessage,  // between the fragments of a message
    InHeader,   // stash_ holds the beginning of a header
    InPayload,  // frame_ is known, taken_ bytes of its payload have come
    Ended,      // by a Close or a Violation
  };

  Decoded nextSlowly(std::span<char>& in, const Limits& limits);
  std::optional<Decoded> takeHeader(std::span<char>& in, const Limits& limits);
  const char* brokenOrder(char first) const;
  std::uint64_t room(char first, const Limits& limits) const;
  [[nodiscard]] bool isCheckedText() const { return !binary_ && !compressed_; }
  Decoded takeControlPayload(std::span<char>& in);
  Decoded takeDataPayload(std::span<char>& in);
  void keep(std::string_view piece);
  std::string_view takeUnmasked(std::span<char>& in);
  Decoded violation(CloseCode code, const char* reason);

  State state_ = State::AtRest;
  bool messageOpen_ = false;  // a message has begun that was not returned yet
  bool binary_ = false;
  bool compressed_ = false;
  std::uint8_t stashBytes_ = 0;  // of the partial header
  Utf8Validator utf8_;
  char stash_[kControlPayloadBytesMax];  // a partial header, or the partial payload of a control
                                         // frame
  FrameHeader frame_;
  std::uint64_t taken_ = 0;
  std::string message_;  // the fragments, and the partial frame, of the message so far
};

/// The message in a compressed one that a Decoder has returned: its payload is valid until the
/// inflater is called again. A Violation if it is no DEFLATE data (1007), is too big (1009), or is
/// text and not UTF-8 (1007); then neither the decoder nor the connection's inflater is of use any
/// more. Without context takeover, reset() the inflater before.
[[nodiscard]] Decoded inflate(const Decoded& message, Inflater& inflater, const Limits& limits);

}  // namespace stormo::websocket
