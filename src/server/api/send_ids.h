#pragma once

#include <stormo/channel/messages.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/problem.h"

namespace stormo::server::api {

/// The identities of the sends of one request with an Idempotency-Key: the same ones for a retry,
/// by way of any process, and others for any other key of this or another API key.
class SendIds {
 public:
  /// Without an Idempotency-Key no send has an identity.
  SendIds() = default;
  SendIds(std::string_view apiKeyName, std::string_view idempotencyKey);

  /// Of the next send to a target that the request names. They are numbered in their order.
  SendId next();
  /// Of a send to a group that matches the pattern of a command: the groups may be others when the
  /// request is repeated.
  [[nodiscard]] SendId ofMatch(std::size_t command, std::string_view group) const;

 private:
  std::string seed_;  // empty: no identities
  SendId last_ = {};
};

/// What is wrong with the value of an Idempotency-Key.
[[nodiscard]] std::optional<Problem> complaintOfIdempotencyKey(std::string_view value);

}  // namespace stormo::server::api
