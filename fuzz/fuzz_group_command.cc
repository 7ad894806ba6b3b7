// One decoder for many texts, as in a worker. Accepted commands are within the limits, rejected
// ones have a reason, and the JSON reader agrees on what is JSON.
#include <stormo/json.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "protocol/client/group_command.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  static GroupCommandDecoder decoder;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  GroupRequest request;
  const CommandError error = decoder.decode(text, request);
  STORMO_ASSERT((error == CommandError::None) == decoder.detail().empty());

  const auto value = parseJson(text);
  if (request.command == GroupCommand::Ping) return 0;
  if (value) {
    STORMO_ASSERT(error != CommandError::NotJson);
    STORMO_ASSERT(parseJson(toJson(*value)).has_value());
  }
  if (error == CommandError::None) {
    STORMO_ASSERT(!request.group.empty() && request.group.size() <= kGroupNameBytesMax);
    const Value& message = value ? (*value)["message"] : Value();
    if (value && request.command == GroupCommand::SendToGroup) {
      // A message that was no string must be the JSON text of the same value.
      const auto same = message.isString() ? Value(request.message) : parseJson(request.message);
      STORMO_ASSERT(same && *same == message);
    }
  } else {
    STORMO_ASSERT(parseJson(errorReply(codeName(error), decoder.detail())).has_value());
  }
  return 0;
}
