#include "protocol/websocket/deflate_negotiation.h"

#include <string_view>

namespace stormo::websocket {
namespace {

constexpr std::string_view kName = "permessage-deflate";
constexpr std::string_view kServerNoContextTakeover = "server_no_context_takeover";
constexpr std::string_view kClientNoContextTakeover = "client_no_context_takeover";
constexpr std::string_view kServerWindowBits = "server_max_window_bits";
constexpr std::string_view kClientWindowBits = "client_max_window_bits";

enum class Role { Offer, Answer };

/// A decimal from 8 to 15 without leading zeros (RFC 7692 7.1.2).
std::optional<std::uint8_t> windowBitsOf(std::string_view value) {
  if (value == "8" || value == "9") return static_cast<std::uint8_t>(value[0] - '0');
  if (value.size() != 2 || value[0] != '1' || value[1] < '0' || value[1] > '5') return {};
  return static_cast<std::uint8_t>(10 + (value[1] - '0'));
}

/// Each parameter must be known, appear once, and have a value exactly where RFC 7692 7.1 says so.
bool setFlag(const ExtensionParameter& parameter, bool& flag) {
  if (flag || parameter.value) return false;
  flag = true;
  return true;
}

bool setWindowBits(const ExtensionParameter& parameter, bool mayLackValue,
                   std::optional<std::uint8_t>& bits) {
  if (bits) return false;
  if (!parameter.value) {
    if (mayLackValue) bits = kWindowBitsMax;
    return mayLackValue;
  }
  bits = windowBitsOf(*parameter.value);
  return bits.has_value();
}

/// Nothing if a parameter is invalid.
std::optional<DeflateParameters> parse(const Extension& extension, Role role) {
  DeflateParameters parsed;
  for (const ExtensionParameter& each : extension.parameters) {
    bool valid = false;
    if (each.name == kServerNoContextTakeover) {
      valid = setFlag(each, parsed.serverNoContextTakeover);
    } else if (each.name == kClientNoContextTakeover) {
      valid = setFlag(each, parsed.clientNoContextTakeover);
    } else if (each.name == kServerWindowBits) {
      valid = setWindowBits(each, false, parsed.serverWindowBits);
    } else if (each.name == kClientWindowBits) {
      valid = setWindowBits(each, role == Role::Offer, parsed.clientWindowBits);
    }
    if (!valid) return std::nullopt;
  }
  return parsed;
}

void append(std::string_view name, std::optional<std::uint8_t> value, std::string& out) {
  out.append("; ").append(name);
  if (value) out.append("=").append(std::to_string(*value));
}

bool agreesWith(const DeflateParameters& offer, const DeflateParameters& answer) {
  // RFC 7692 7.1.1.1 and 7.1.2.1: an offer with one of these is accepted by repeating it.
  if (offer.serverNoContextTakeover && !answer.serverNoContextTakeover) return false;
  if (offer.serverWindowBits &&
      answer.serverWindowBits.value_or(kWindowBitsMax + 1) > *offer.serverWindowBits) {
    return false;
  }
  // RFC 7692 7.1.2.2: only if it was offered, and at most what was offered.
  if (!answer.clientWindowBits) return true;
  return offer.clientWindowBits && *answer.clientWindowBits <= *offer.clientWindowBits;
}

}  // namespace

std::optional<DeflateParameters> acceptDeflate(const std::vector<Extension>& offers,
                                               bool contextTakeover) {
  for (const Extension& each : offers) {
    if (each.name != kName) continue;
    const auto offer = parse(each, Role::Offer);
    if (!offer) continue;
    // The decompressor reads streams of any window: the client's need not be limited.
    return DeflateParameters{
        .serverNoContextTakeover = offer->serverNoContextTakeover || !contextTakeover,
        .clientNoContextTakeover = offer->clientNoContextTakeover || !contextTakeover,
        .serverWindowBits = offer->serverWindowBits};
  }
  return std::nullopt;
}

std::string deflateHeader(const DeflateParameters& parameters) {
  std::string out(kName);
  if (parameters.serverNoContextTakeover) append(kServerNoContextTakeover, {}, out);
  if (parameters.clientNoContextTakeover) append(kClientNoContextTakeover, {}, out);
  if (parameters.serverWindowBits) append(kServerWindowBits, parameters.serverWindowBits, out);
  if (parameters.clientWindowBits) append(kClientWindowBits, parameters.clientWindowBits, out);
  return out;
}

DeflateAnswer checkDeflateAnswer(const DeflateParameters& offer,
                                 const std::vector<Extension>& answer) {
  if (answer.empty()) return {.valid = true};
  if (answer.size() > 1 || answer.front().name != kName) return {.valid = false};
  const auto parsed = parse(answer.front(), Role::Answer);
  if (!parsed || !agreesWith(offer, *parsed)) return {.valid = false};
  return {.valid = true, .agreed = parsed};
}

}  // namespace stormo::websocket
