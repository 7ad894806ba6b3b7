#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/channel/dialect.h"

/// Workerman's dialect of the Channel: a frame's payload is a PHP serialized array with the keys
/// `type`, `channels` or `channel`, and `data`.
namespace stormo::channel {

enum class CommandType {
  // From a client.
  Subscribe,
  Unsubscribe,
  Publish,
  PublishLoop,  ///< To one subscriber in turn.
  Watch,        ///< Of queues, here and below `channels` are names of queues.
  Unwatch,
  Enqueue,
  Reserve,  ///< One more job, please.
  Ping,     ///< An empty payload.
  // From the server.
  Event,
  Queue,  ///< A job.
};

/// One message, as views into the payload that it was decoded from, valid as long as that and this.
struct WorkermanCommand {
  CommandType type = CommandType::Ping;
  std::vector<std::string_view> channels;  ///< Of Event and Queue exactly one.
  /// The serialized value itself, checked but not built, so that a server can pass it on as it is.
  /// Of Publish, PublishLoop, Enqueue, Event and Queue; empty of the others. It stands alone: the
  /// numbers in its references count from its own beginning.
  std::string_view data;
  std::string renumbered;   ///< What `data` is a view of, if it has references.
  std::string_view reason;  ///< Why it is Invalid, for people.
};

/// Decodes one frame's payload. Keys come in any order, of a key given twice the last counts, and
/// unknown keys are skipped. `channels` may be one plain name; a name may be an integer, which
/// stands for its decimal text; one "\n" may follow (older PHP servers send it). Invalid: an
/// unknown type, a missing key, a name of no or more than kChannelNameBytesMax bytes, data that
/// refers to what is outside of it, and what php::serializedLength refuses; `out.reason` says
/// which. Does not allocate if `out.channels` has room.
[[nodiscard]] Decode decodeWorkerman(std::string_view payload, WorkermanCommand& out);

/// Appends the payload (no frame header), to the same bytes as PHP writes. `channels` and `data` as
/// in WorkermanCommand; Reserve and Ping take neither.
void encodeWorkerman(CommandType type, std::span<const std::string_view> channels,
                     std::string_view data, std::string& out);
inline void encodeWorkerman(const WorkermanCommand& command, std::string& out) {
  encodeWorkerman(command.type, command.channels, command.data, out);
}

}  // namespace stormo::channel
