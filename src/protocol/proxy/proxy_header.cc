#include "protocol/proxy/proxy_header.h"

#include <algorithm>
#include <charconv>

namespace stormo::proxy {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2 = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kLineBytesMax = 107;
constexpr std::size_t kFixedBytes2 = 16;

std::uint8_t byteAt(std::string_view in, std::size_t at) {
  return static_cast<std::uint8_t>(in[at]);
}
std::uint16_t numberAt(std::string_view in, std::size_t at) {
  return static_cast<std::uint16_t>(byteAt(in, at) << 8 | byteAt(in, at + 1));
}

/// Removes the word before the first space from `line` and returns it.
std::string_view takeWord(std::string_view& line) {
  const std::size_t space = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, space);
  line.remove_prefix(std::min(space + 1, line.size()));
  return word;
}

/// 2.1: decimal, without heading zeroes.
std::optional<std::uint16_t> portIn(std::string_view word) {
  std::uint16_t port = 0;
  if (word.size() > 1 && word.front() == '0') return std::nullopt;
  const auto [end, errc] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (errc != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return port;
}

/// An address as its family is written: an IPv4 address in an IPv6 header may be a mapped one.
std::optional<IpAddress> addressIn(std::string_view word, bool isV4) {
  const bool hasColon = word.find(':') != word.npos;
  return hasColon == isV4 ? std::nullopt : IpAddress::parse(word);
}

/// `line`: without "PROXY " and without the line end.
bool decodeLine(std::string_view line, std::optional<IpEndpoint>& client) {
  const bool isMore = line.find(' ') != line.npos;
  const std::string_view family = takeWord(line);
  if (family == "UNKNOWN") return true;  // the rest of the line must be ignored
  const bool isV4 = family == "TCP4";
  if (!isMore || (!isV4 && family != "TCP6")) return false;
  const auto source = addressIn(takeWord(line), isV4);
  const auto destination = addressIn(takeWord(line), isV4);
  const auto sourcePort = portIn(takeWord(line));
  const auto destinationPort = portIn(line);  // the last word: a space after it is an error
  if (!source || !destination || !sourcePort || !destinationPort) return false;
  client = IpEndpoint{.address = *source, .port = *sourcePort};
  return true;
}

ProxyDecode decodeVersion1(std::string_view in, ProxyHeader& out) {
  const std::string_view start = in.substr(0, kLineBytesMax);
  const std::size_t end = start.find_first_of("\r\n\0"sv);
  if (end == start.npos) {
    return start.size() < kLineBytesMax ? ProxyDecode::NeedMore : ProxyDecode::Malformed;
  }
  if (start[end] != '\r' || end + 1 == kLineBytesMax) return ProxyDecode::Malformed;
  ProxyHeader header{.bytes = end + 2};
  const std::string_view line = start.substr(kSignature1.size(), end - kSignature1.size());
  if (!decodeLine(line, header.client)) return ProxyDecode::Malformed;
  if (end + 1 == start.size()) return ProxyDecode::NeedMore;
  if (start[end + 1] != '\n') return ProxyDecode::Malformed;
  out = header;
  return ProxyDecode::Ok;
}

/// The bytes of the two addresses and ports of this family and transport (2.2).
std::optional<std::size_t> addressBytes(std::uint8_t family) {
  switch (family) {
    case 0x00:  // UNSPEC
      return 0;
    case 0x11:  // TCP over IPv4
    case 0x12:  // UDP over IPv4
      return 12;
    case 0x21:
    case 0x22:
      return 36;
    case 0x31:  // unix stream
    case 0x32:
      return 216;
    default:
      return std::nullopt;
  }
}

template <std::size_t Bytes>
std::span<const std::uint8_t, Bytes> bytesAt(std::string_view in, std::size_t at) {
  return std::span<const std::uint8_t, Bytes>(reinterpret_cast<const std::uint8_t*>(in.data()) + at,
                                              Bytes);
}

std::optional<IpEndpoint> clientOf(std::uint8_t family, std::string_view addresses) {
  if (family == 0x11) {
    return IpEndpoint{.address = IpAddress::v4(bytesAt<4>(addresses, 0)),
                      .port = numberAt(addresses, 8)};
  }
  if (family == 0x21) {
    return IpEndpoint{.address = IpAddress::v6(bytesAt<16>(addresses, 0)),
                      .port = numberAt(addresses, 32)};
  }
  return std::nullopt;
}

ProxyDecode decodeVersion2(std::string_view in, ProxyHeader& out) {
  if (in.size() <= kSignature2.size()) return ProxyDecode::NeedMore;
  const std::uint8_t versionAndCommand = byteAt(in, 12);
  const bool isLocal = versionAndCommand == 0x20;
  if (!isLocal && versionAndCommand != 0x21) return ProxyDecode::Malformed;
  if (in.size() <= 13) return ProxyDecode::NeedMore;
  const std::uint8_t family = byteAt(in, 13);
  // The family of LOCAL must be ignored.
  const auto needed = isLocal ? std::size_t{0} : addressBytes(family);
  if (!needed) return ProxyDecode::Malformed;
  if (in.size() < kFixedBytes2) return ProxyDecode::NeedMore;
  const std::size_t following = numberAt(in, 14);
  const std::size_t whole = kFixedBytes2 + following;
  if (following < *needed || whole > kProxyHeaderBytesMax) return ProxyDecode::Malformed;
  if (in.size() < whole) return ProxyDecode::NeedMore;
  out.bytes = whole;
  out.client = isLocal ? std::nullopt : clientOf(family, in.substr(kFixedBytes2));
  return ProxyDecode::Ok;
}

/// True if `in` begins as the signature, as far as it is there.
bool beginsAs(std::string_view signature, std::string_view in) {
  const std::size_t common = std::min(signature.size(), in.size());
  return in.substr(0, common) == signature.substr(0, common);
}

}  // namespace

ProxyDecode decodeProxyHeader(std::string_view in, ProxyHeader& out) {
  if (in.empty()) return ProxyDecode::NeedMore;
  if (beginsAs(kSignature2, in)) return decodeVersion2(in, out);
  if (!beginsAs(kSignature1, in)) return ProxyDecode::Malformed;
  return in.size() < kSignature1.size() ? ProxyDecode::NeedMore : decodeVersion1(in, out);
}

}  // namespace stormo::proxy
