#include "protocol/websocket/decoder.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "protocol/websocket/close.h"

namespace stormo::websocket {
namespace {

// Memory is reserved for at most this multiple of the bytes received, whatever length a header
// states.
constexpr std::size_t kGrowth = 8;
constexpr const char* kNotUtf8 = "text is not UTF-8";

std::string_view view(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

bool isData(Opcode opcode) { return opcode == Opcode::Text || opcode == Opcode::Binary; }

/// The first byte of a header states whether a message begins that is compressed.
bool isCompressed(char first) { return (static_cast<std::uint8_t>(first) & 0x40) != 0; }

}  // namespace

Decoded Decoder::next(std::span<char>& in, const Limits& limits) {
  // The common case: nothing pending, and a complete message in one frame. Other input goes to
  // nextSlowly(), which decodes the header again.
  if (state_ == State::AtRest) {
    FrameHeader header;
    if (!in.empty() &&
        decodeHeader(view(in), room(in[0], limits), header, limits.compression, limits.sender) ==
            Decode::Ok &&
        header.fin && isData(header.opcode) &&
        in.size() - header.headerBytes >= header.payloadBytes) {
      char* const data = in.data() + header.headerBytes;
      const auto bytes = static_cast<std::size_t>(header.payloadBytes);
      if (header.masked) applyMask(data, bytes, header.mask, 0);
      const std::string_view payload(data, bytes);
      const bool binary = header.opcode == Opcode::Binary;
      if (!binary && !header.compressed && !isUtf8(payload)) {
        return violation(CloseCode::InvalidPayload, kNotUtf8);
      }
      in = in.subspan(header.headerBytes + bytes);
      return {.event = Event::Message,
              .binary = binary,
              .compressed = header.compressed,
              .payload = payload};
    }
  }
  return nextSlowly(in, limits);
}

Decoded Decoder::nextSlowly(std::span<char>& in, const Limits& limits) {
  STORMO_ASSERT(state_ != State::Ended);
  if (in.empty()) return {};
  if (state_ != State::InPayload) {
    if (const auto verdict = takeHeader(in, limits)) return *verdict;
  }
  return isControl(frame_.opcode) ? takeControlPayload(in) : takeDataPayload(in);
}

/// Nothing once frame_ is known, else the verdict.
std::optional<Decoded> Decoder::takeHeader(std::span<char>& in, const Limits& limits) {
  std::string_view seen = view(in);
  if (stashBytes_ > 0) {
    const std::size_t bytes = std::min(in.size(), kClientHeaderBytesMax - stashBytes_);
    std::memcpy(stash_ + stashBytes_, in.data(), bytes);
    seen = {stash_, stashBytes_ + bytes};
  }
  if (seen.empty()) return Decoded{};
  if (const char* broken = brokenOrder(seen[0])) return violation(CloseCode::ProtocolError, broken);

  switch (decodeHeader(seen, room(seen[0], limits), frame_, limits.compression, limits.sender)) {
    case Decode::Ok:
      break;
    case Decode::NeedMore:
      if (stashBytes_ == 0) std::memcpy(stash_, in.data(), in.size());
      stashBytes_ = static_cast<std::uint8_t>(seen.size());
      in = in.last(0);
      state_ = State::InHeader;
      return Decoded{};
    case Decode::ProtocolError:
      return violation(CloseCode::ProtocolError,
                       explainProtocolError(seen, limits.compression, limits.sender));
    case Decode::TooBig:
      return violation(CloseCode::TooBig, "message is too big");
  }
  in = in.subspan(frame_.headerBytes - stashBytes_);
  stashBytes_ = 0;
  taken_ = 0;
  state_ = State::InPayload;
  if (isData(frame_.opcode)) {
    messageOpen_ = true;
    binary_ = frame_.opcode == Opcode::Binary;
    compressed_ = frame_.compressed;
    message_.clear();  // utf8_ is reset: a text message has ended
  }
  return std::nullopt;
}

/// Payload bytes that the frame with this first byte may have. The limit may have become smaller
/// since the message began.
std::uint64_t Decoder::room(char first, const Limits& limits) const {
  const bool compressed = messageOpen_ ? compressed_ : isCompressed(first);
  const std::uint64_t most =
      compressed ? compressedBytesMax(limits.messageBytesMax) : limits.messageBytesMax;
  const std::uint64_t held = messageOpen_ ? message_.size() : 0;
  return most - std::min(most, held);
}

/// Fragments of one message are not interleaved with those of another (RFC 6455 5.4). Checks the
/// first byte of a header; null if the order is right.
const char* Decoder::brokenOrder(char first) const {
  const auto opcode = static_cast<Opcode>(first & 0x0f);
  if (opcode == Opcode::Continuation && !messageOpen_) return "continuation of nothing";
  if (isData(opcode) && messageOpen_) return "new message inside a fragmented one";
  return nullptr;
}

Decoded Decoder::takeControlPayload(std::span<char>& in) {
  std::string_view payload;
  if (taken_ == 0 && in.size() >= frame_.payloadBytes) {
    payload = takeUnmasked(in);
  } else {
    const std::uint64_t held = taken_;
    const std::string_view piece = takeUnmasked(in);
    std::memcpy(stash_ + held, piece.data(), piece.size());
    if (taken_ < frame_.payloadBytes) return {};
    payload = {stash_, static_cast<std::size_t>(taken_)};
  }
  state_ = messageOpen_ ? State::InMessage : State::AtRest;
  if (frame_.opcode == Opcode::Ping) return {.event = Event::Ping, .payload = payload};
  if (frame_.opcode == Opcode::Pong) return {.event = Event::Pong, .payload = payload};

  const CloseFrame close = decodeClose(payload);
  if (!close.valid) return violation(close.code, close.violation);
  state_ = State::Ended;
  return {.event = Event::Close, .payload = close.reason, .code = close.code};
}

Decoded Decoder::takeDataPayload(std::span<char>& in) {
  const std::string_view piece = takeUnmasked(in);
  if (isCheckedText() && !utf8_.feed(piece)) return violation(CloseCode::InvalidPayload, kNotUtf8);

  const bool whole = taken_ == frame_.payloadBytes;
  if (whole && frame_.fin) {
    if (isCheckedText() && !utf8_.complete()) {
      return violation(CloseCode::InvalidPayload, kNotUtf8);
    }
    state_ = State::AtRest;
    messageOpen_ = false;
    Decoded message{.event = Event::Message, .binary = binary_, .compressed = compressed_};
    message.payload = piece;  // only the header was cut: the payload can stay in place
    if (message_.empty()) return message;
    keep(piece);
    message.payload = message_;
    return message;
  }
  keep(piece);
  if (!whole) return {};
  state_ = State::InMessage;
  return {.event = Event::Fragment};
}

/// The buffer grows in large steps while more of the message is expected, so that a long message is
/// not moved repeatedly, and not beyond its end.
void Decoder::keep(std::string_view piece) {
  const std::size_t size = message_.size() + piece.size();
  if (size > message_.capacity()) {
    const std::size_t whole = size + static_cast<std::size_t>(frame_.payloadBytes - taken_);
    message_.reserve(frame_.fin ? std::min(whole, kGrowth * size) : 2 * size);
  }
  message_ += piece;
}

/// Takes the part of the current frame's payload that is in `in`, and unmasks it.
std::string_view Decoder::takeUnmasked(std::span<char>& in) {
  const auto bytes =
      static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), frame_.payloadBytes - taken_));
  char* const data = in.data();
  if (frame_.masked) {
    applyMask(data, bytes, frame_.mask, static_cast<std::size_t>(taken_ & 3));
  }
  taken_ += bytes;
  in = in.subspan(bytes);
  return {data, bytes};
}

Decoded Decoder::violation(CloseCode code, const char* reason) {
  state_ = State::Ended;
  return {.event = Event::Violation, .code = code, .reason = reason};
}

Decoded inflate(const Decoded& message, Inflater& inflater, const Limits& limits) {
  const auto violation = [](CloseCode code, const char* reason) {
    return Decoded{.event = Event::Violation, .code = code, .reason = reason};
  };
  const Inflated inflated = inflater.inflate(message.payload, limits.messageBytesMax);
  switch (inflated.verdict) {
    case Inflated::Verdict::Ok:
      break;
    case Inflated::Verdict::Invalid:
      return violation(CloseCode::InvalidPayload, "compressed data is invalid");
    case Inflated::Verdict::TooBig:
      return violation(CloseCode::TooBig, "message is too big");
  }
  if (!message.binary && !isUtf8(inflated.message)) {
    return violation(CloseCode::InvalidPayload, kNotUtf8);
  }
  return {.event = Event::Message, .binary = message.binary, .payload = inflated.message};
}

}  // namespace stormo::websocket
