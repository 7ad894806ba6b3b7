#include "protocol/websocket/frame.h"

#include <cstring>

namespace stormo::websocket {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::size_t kMaskBytes = 4;

bool isMaskedRight(Sender sender, std::uint8_t second) {
  return ((second & kMasked) != 0) == (sender == Sender::Client);
}

constexpr bool isDefined(unsigned opcode) {
  // Bits 0 to 2 and 8 to 10: the opcodes of RFC 6455 11.8.
  return ((0x0707u >> opcode) & 1u) != 0;
}

[[gnu::always_inline]] inline bool hasValidReservedBits(std::uint8_t first,
                                                        Compression compression) {
  const unsigned bits = first & kReservedBits;
  if (bits == 0) return true;
  const auto opcode = static_cast<Opcode>(first & 0x0fu);
  const bool beginsMessage = opcode == Opcode::Text || opcode == Opcode::Binary;
  return bits == kRsv1 && compression == Compression::Negotiated && beginsMessage;
}

[[gnu::always_inline]] inline bool isValidFirst(std::uint8_t first, Compression compression) {
  const unsigned opcode = first & 0x0fu;
  return hasValidReservedBits(first, compression) && isDefined(opcode) &&
         ((first & kFin) != 0 || opcode < 8);
}

bool isValidSecond(Sender sender, std::uint8_t first, std::uint8_t second) {
  const bool control = (first & 0x08u) != 0;
  return isMaskedRight(sender, second) && (!control || (second & 0x7fu) <= kControlPayloadBytesMax);
}

/// The verdict on an extended length between `least` and `most`, which differ while some of its
/// bytes are missing.
Decode judgeLength(std::uint64_t least, std::uint64_t most, std::uint64_t minimal,
                   std::uint64_t payloadBytesMax) {
  if ((least >> 63) != 0) return Decode::ProtocolError;
  if (most < minimal) return Decode::ProtocolError;
  // A length that may still be non-minimal starts with zeros: it is not too big yet.
  if (least > payloadBytesMax) return Decode::TooBig;
  return least == most ? Decode::Ok : Decode::NeedMore;
}

/// The same for the first `have` of `width` bytes of an extended length.
Decode judgePartialLength(const char* bytes, std::size_t have, std::size_t width,
                          std::uint64_t minimal, std::uint64_t payloadBytesMax) {
  std::uint64_t least = 0;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < width; ++i) {
    least = least << 8 | (i < have ? static_cast<std::uint8_t>(bytes[i]) : 0x00u);
    most = most << 8 | (i < have ? static_cast<std::uint8_t>(bytes[i]) : 0xffu);
  }
  return judgeLength(least, most, minimal, payloadBytesMax);
}

// A template, so that neither direction has more than one branch for the other.
template <Sender kSender>
[[gnu::always_inline]] inline Decode decode(std::string_view in, std::uint64_t payloadBytesMax,
                                            FrameHeader& out, Compression compression) {
  if (in.empty()) return Decode::NeedMore;
  const auto first = static_cast<std::uint8_t>(in[0]);
  if (!isValidFirst(first, compression)) return Decode::ProtocolError;
  if (in.size() < 2) return Decode::NeedMore;
  const auto second = static_cast<std::uint8_t>(in[1]);
  if (!isValidSecond(kSender, first, second)) return Decode::ProtocolError;

  std::uint64_t payloadBytes = second & 0x7fu;
  std::size_t lengthBytes = 0;
  if (payloadBytes >= 126) {
    lengthBytes = payloadBytes == 126 ? 2 : 8;
    const std::uint64_t minimal = payloadBytes == 126 ? 126 : 0x10000;
    const std::size_t have = in.size() - 2;
    if (have < lengthBytes) {
      return judgePartialLength(in.data() + 2, have, lengthBytes, minimal, payloadBytesMax);
    }
    payloadBytes = lengthBytes == 2 ? loadBigEndian<std::uint16_t>(in.data() + 2)
                                    : loadBigEndian<std::uint64_t>(in.data() + 2);
    const Decode verdict = judgeLength(payloadBytes, payloadBytes, minimal, payloadBytesMax);
    if (verdict != Decode::Ok) return verdict;
  } else if (payloadBytes > payloadBytesMax && (first & 0x08u) == 0) {
    return Decode::TooBig;
  }

  const std::size_t maskBytes = kSender == Sender::Client ? kMaskBytes : 0;
  const std::size_t headerBytes = 2 + lengthBytes + maskBytes;
  if (in.size() < headerBytes) return Decode::NeedMore;
  out.fin = (first & kFin) != 0;
  out.compressed = (first & kRsv1) != 0;
  out.masked = kSender == Sender::Client;
  out.opcode = static_cast<Opcode>(first & 0x0fu);
  std::memcpy(out.mask, in.data() + headerBytes - maskBytes, maskBytes);
  out.payloadBytes = payloadBytes;
  out.headerBytes = headerBytes;
  return Decode::Ok;
}

/// The mask for the bytes from `phase` of a payload on, twice.
std::uint64_t wordOf(const char mask[4], std::size_t phase) {
  std::uint32_t mask32;
  std::memcpy(&mask32, mask, sizeof mask32);
  // Little-endian: the byte for the first one moves to the lowest place.
  mask32 = std::rotr(mask32, static_cast<int>(8 * (phase & 3)));
  return mask32 | std::uint64_t{mask32} << 32;
}

/// `from` and `to` are the same, or do not overlap. Inlined, so that each case is one loop of its
/// own.
[[gnu::always_inline]] inline void maskInto(const char* from, std::size_t bytes, std::uint64_t mask,
                                            char* to) {
  // Four words at a time: independent of each other, so that they become vector instructions.
  for (; bytes >= 32; from += 32, to += 32, bytes -= 32) {
    std::uint64_t words[4];
    std::memcpy(words, from, sizeof words);
    for (std::uint64_t& word : words) word ^= mask;
    std::memcpy(to, words, sizeof words);
  }
  for (; bytes >= 8; from += 8, to += 8, bytes -= 8) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    word ^= mask;
    std::memcpy(to, &word, sizeof word);
  }
  for (; bytes > 0; ++from, ++to, --bytes, mask >>= 8) {
    *to = static_cast<char>(*from ^ static_cast<char>(mask));
  }
}

}  // namespace

Decode decodeHeader(std::string_view in, std::uint64_t payloadBytesMax, FrameHeader& out,
                    Compression compression, Sender sender) {
  return sender == Sender::Client ? decode<Sender::Client>(in, payloadBytesMax, out, compression)
                                  : decode<Sender::Server>(in, payloadBytesMax, out, compression);
}

const char* explainProtocolError(std::string_view header, Compression compression, Sender sender) {
  if (header.empty()) return "";
  const auto first = static_cast<std::uint8_t>(header[0]);
  if (!hasValidReservedBits(first, compression)) return "reserved bits are set";
  if (!isDefined(first & 0x0fu)) return "reserved opcode";
  if (!isValidFirst(first, compression)) return "fragmented control frame";
  if (header.size() < 2) return "";
  const auto second = static_cast<std::uint8_t>(header[1]);
  if (!isMaskedRight(sender, second)) {
    return sender == Sender::Client ? "frame is not masked" : "frame is masked";
  }
  if (!isValidSecond(sender, first, second)) return "control frame of more than 125 bytes";
  if (header.size() > 2 && (second & 0x7fu) == 127 && (header[2] & 0x80) != 0) {
    return "length of more than 63 bits";
  }
  return "length is not minimal";
}

Decode decodeServerFrame(std::string_view in, std::uint64_t payloadBytesMax, ServerFrame& out,
                         Compression compression) {
  FrameHeader header;
  const Decode verdict = decode<Sender::Server>(in, payloadBytesMax, header, compression);
  if (verdict != Decode::Ok) return verdict;
  if (in.size() - header.headerBytes < header.payloadBytes) return Decode::NeedMore;
  out.opcode = header.opcode;
  out.payload = in.substr(header.headerBytes, static_cast<std::size_t>(header.payloadBytes));
  out.bytes = header.headerBytes + out.payload.size();
  out.fin = header.fin;
  out.compressed = header.compressed;
  return Decode::Ok;
}

std::size_t encodeMaskedHeader(Opcode opcode, std::uint64_t payloadBytes, const char mask[4],
                               char* out, bool compressed) {
  const std::size_t length = encodeHeader(opcode, payloadBytes, out, compressed);
  out[1] = static_cast<char>(static_cast<std::uint8_t>(out[1]) | kMasked);
  std::memcpy(out + length, mask, kMaskBytes);
  return length + kMaskBytes;
}

void appendClientFrame(Opcode opcode, std::string_view payload, const char mask[4],
                       std::string& out) {
  char header[kClientHeaderBytesMax];
  out.append(header, encodeMaskedHeader(opcode, payload.size(), mask, header));
  const std::size_t begin = out.size();
  out.resize(begin + payload.size());
  copyMasked(payload, mask, out.data() + begin);
}

void applyMask(char* data, std::size_t bytes, const char mask[4], std::size_t phase) {
  maskInto(data, bytes, wordOf(mask, phase), data);
}

void copyMasked(std::string_view payload, const char mask[4], char* to) {
  maskInto(payload.data(), payload.size(), wordOf(mask, 0), to);
}

}  // namespace stormo::websocket
