#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace stormo::channel {

/// Where a message that a consumer delivers stands: from the reply subject that JetStream gives it,
/// `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer
/// sequence>.<time>.<pending>` or, with two tokens more in front and perhaps others behind (NATS'
/// ADR-15),
/// `$JS.ACK.<domain>.<account>.<stream>.…`.
struct AckSubject {
  std::uint64_t streamSequence = 0;
  std::uint64_t consumerSequence = 0;  ///< 1, 2, 3, … for each consumer.
};

/// Nullopt if it is another subject.
[[nodiscard]] std::optional<AckSubject> parseAckSubject(std::string_view subject);

}  // namespace stormo::channel
