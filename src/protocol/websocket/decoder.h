#pragma once

#include <stormo/close_code.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/text/utf8.h"
#include "protocol/websocket/frame.h"

namespace stormo::websocket {

struct Limits {
  std::uint64_t messageBytesMax;  ///< Of one message, all its fragments together.
};

enum class Event {
  NeedMore,
  Fragment,  ///< A fragment ended that another must follow: nothing to do, but work was done.
  Message,
  Ping,
  Pong,
  Close,
  Violation,  ///< The peer broke the protocol or a limit: close with `code`.
};

struct Decoded {
  Event event = Event::NeedMore;
  bool binary = false;  ///< Of a Message.
  /// Of a Message, Ping or Pong; of a Close, the peer's reason. A view into the memory of `in` or
  /// into the decoder: valid until the decoder is called again, moved or thrown away.
  std::string_view payload = {};
  CloseCode code = CloseCode::NoStatus;  ///< Close: the peer's, or NoStatus. Violation: ours.
  const char* reason = "";               ///< Violation: a literal, at most 123 bytes.
};

/// Turns a client's byte stream, cut anywhere, into messages and control frames (RFC 6455 5, 8.1).
/// The sequence of events does not depend on where the stream was cut.
///
/// A whole unfragmented frame is unmasked where it lies and never copied. Of anything else the
/// decoder keeps what has come: memory follows the bytes received, never the length that a header
/// promises, and is bounded by messageBytesMax. Text is judged as it comes, before its frame is
/// whole.
class Decoder {
 public:
  /// Takes bytes from the front of `in`, advancing it and unmasking in place, up to and including
  /// one event. NeedMore: all of `in` was taken. After Close or Violation it must not be called
  /// again.
  [[nodiscard]] Decoded next(std::span<char>& in, const Limits& limits);

  /// True when nothing partial is held: the decoder may be thrown away and a fresh one goes on just
  /// as well. An idle connection needs none.
  [[nodiscard]] bool atRest() const { return state_ == State::AtRest; }
  /// Of the message so far.
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
  Decoded takeControlPayload(std::span<char>& in);
  Decoded takeDataPayload(std::span<char>& in);
  void keep(std::string_view piece);
  std::string_view takeUnmasked(std::span<char>& in);
  Decoded violation(CloseCode code, const char* reason);

  State state_ = State::AtRest;
  bool messageOpen_ = false;  // a message has begun that has not been given out
  bool binary_ = false;
  std::uint8_t stashBytes_ = 0;  // of the partial header
  Utf8Validator utf8_;
  char stash_[kControlPayloadBytesMax];  // a partial header, or the partial payload of a control
                                         // frame
  FrameHeader frame_;
  std::uint64_t taken_ = 0;
  std::string message_;  // the fragments, and the partial frame, of the message so far
};

}  // namespace stormo::websocket
