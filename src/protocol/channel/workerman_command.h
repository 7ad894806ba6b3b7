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
  Watch,        ///< `channels` are names of queues, here and below.
  Unwatch,
  Enqueue,
  Reserve,  ///< Requests one more job.
  Ping,     ///< An empty payload.
  // From the server.
  Event,
  Queue,  ///< A job.
};

/// One message, as views into its payload. They are valid while the payload and this object are.
struct WorkermanCommand {
  CommandType type = CommandType::Ping;
  std::vector<std::string_view> channels;  ///< Event and Queue have exactly one.
  /// The serialized value, checked but not built, so that a server can forward it unchanged. Only
  /// Publish, PublishLoop, Enqueue, Event and Queue have one. It is independent of the payload: the
  /// numbers in its references count from its own start.
  std::string_view data;
  std::string renumbered;   ///< The storage of `data`, if it has references.
  std::string_view reason;  ///< Why the payload is Invalid, as text for the log.
};

/// Decodes one frame's payload. Keys may have any order, the last of equal keys counts, and unknown
/// keys are skipped. `channels` may be one plain name; a name may be an integer, which stands for
/// its decimal text; one "\n" may follow (older PHP servers send it). Invalid: an unknown type, a
/// missing key, a name that is empty or longer than kChannelNameBytesMax, data with a reference to
/// its outside, and what php::serializedLength() rejects; `out.reason` states which. Does not
/// allocate if `out.channels` has room.
[[nodiscard]] Decode decodeWorkerman(std::string_view payload, WorkermanCommand& out);

/// Appends the payload, without a frame header, with the same bytes as PHP. `channels` and `data`
/// are as in WorkermanCommand; Reserve and Ping have neither.
void encodeWorkerman(CommandType type, std::span<const std::string_view> channels,
                     std::string_view data, std::string& out);
/// The same as a whole frame.
void encodeWorkermanFrame(CommandType type, std::span<const std::string_view> channels,
                          std::string_view data, std::string& out);
inline void encodeWorkerman(const WorkermanCommand& command, std::string& out) {
  encodeWorkerman(command.type, command.channels, command.data, out);
}

}  // namespace stormo::channel
