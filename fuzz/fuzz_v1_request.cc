// Requests of stormo.v1. Accepted ones are within the limits, rejected ones have a reason, and
// every reply is JSON.
#include <stormo/audience.h>
#include <stormo/json.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "protocol/client/v1_message.h"
#include "protocol/client/v1_request.h"
#include "protocol/text/utf8.h"

namespace stormo::v1 {
namespace {

void checkTarget(const Request& request) {
  const bool isGroup = request.to == To::Group;
  STORMO_ASSERT(isGroup == !request.group.empty());
  STORMO_ASSERT(!isGroup || !isReservedName(request.group));
}

void checkTaken(const Request& request) {
  if (!request.pong.empty()) return;  // a heartbeat has no id
  STORMO_ASSERT(request.id >= 1 && request.id <= kIdMax);
  std::string text;
  switch (request.command) {
    case Command::Join:
      checkTarget(request);
      appendJoined(request.id, request.seen.value_or(Position{}), request.seen.has_value(), text);
      break;
    case Command::Leave:
      checkTarget(request);
      appendOk(request.id, text);
      break;
    case Command::Send: {
      appendMessage(request.group, 1, request.message, text);
      const auto value = parseJson(text);
      STORMO_ASSERT(value && (*value)["message"].asString() == request.message);
      STORMO_ASSERT((*value)["group"].asString() == request.group);
      break;
    }
    case Command::Session:
      STORMO_ASSERT(request.session != 0);
      break;
    case Command::Refresh:
      STORMO_ASSERT(isUtf8(request.token));
      break;
    case Command::WhoAmI:
      appendWhoAmI(request.id, "id", "", text);
      break;
    case Command::Ping:
      break;
  }
  STORMO_ASSERT(text.empty() || parseJson(text).has_value());
}

}  // namespace
}  // namespace stormo::v1

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  static v1::RequestDecoder decoder;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  v1::Request request;
  const CommandError error = decoder.decode(text, request);
  STORMO_ASSERT((error == CommandError::None) == decoder.detail().empty());
  if (error == CommandError::None) {
    v1::checkTaken(request);
    return 0;
  }
  std::string reply;
  v1::appendError(request.id, codeName(error), decoder.detail(), reply);
  STORMO_ASSERT(parseJson(reply).has_value());
  return 0;
}
