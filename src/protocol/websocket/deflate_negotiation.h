#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/websocket/extensions.h"

namespace stormo::websocket {

/// The windows of LZ77 have 2^8 to 2^15 bytes (RFC 7692 7.1.2).
inline constexpr std::uint8_t kWindowBitsMin = 8;
inline constexpr std::uint8_t kWindowBitsMax = 15;

/// The parameters of permessage-deflate (RFC 7692 7.1), as an offer or as an agreement.
struct DeflateParameters {
  /// The server compresses each message without its earlier ones (RFC 7692 7.1.1.1).
  bool serverNoContextTakeover = false;
  /// The same for the client (RFC 7692 7.1.1.2).
  bool clientNoContextTakeover = false;
  /// server_max_window_bits (RFC 7692 7.1.2.1). Nothing: absent, which means 15.
  std::optional<std::uint8_t> serverWindowBits = {};
  /// client_max_window_bits (RFC 7692 7.1.2.2). Nothing: absent, which means 15. In an offer: the
  /// parameter is present; 15 also stands for a parameter without a value.
  std::optional<std::uint8_t> clientWindowBits = {};
  bool operator==(const DeflateParameters&) const = default;
};

/// The server's part of the negotiation: the answer to the first offer of permessage-deflate that
/// it accepts, or nothing if it declines all of them. It declines an offer that has an unknown
/// parameter, an invalid value, or the same parameter twice (RFC 7692 7).
///
/// Without `contextTakeover`, the answer has server_no_context_takeover and
/// client_no_context_takeover, whether they were offered or not (RFC 7692 7.1.1): one compressor
/// and one decompressor serve all connections. With it, the answer has those that were offered.
[[nodiscard]] std::optional<DeflateParameters> acceptDeflate(const std::vector<Extension>& offers,
                                                             bool contextTakeover);

/// The value of Sec-WebSocket-Extensions that states these parameters, in an offer or an answer.
[[nodiscard]] std::string deflateHeader(const DeflateParameters& parameters);

/// What a client finds in a server's answer to its offer of permessage-deflate.
struct DeflateAnswer {
  /// False: the answer violates RFC 7692 7.1 or agrees on what was not offered, and the client
  /// fails the connection (RFC 6455 4.1).
  bool valid;
  std::optional<DeflateParameters> agreed = {};  ///< Nothing: the server declined the offer.
};

/// The client's part: checks the server's answer against the one offer that was sent.
[[nodiscard]] DeflateAnswer checkDeflateAnswer(const DeflateParameters& offer,
                                               const std::vector<Extension>& answer);

}  // namespace stormo::websocket
