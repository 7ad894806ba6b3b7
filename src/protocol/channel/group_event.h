#pragma once

#include <stormo/message.h>

#include <optional>
#include <string>
#include <string_view>

namespace stormo::channel {

/// A group message as those say it who know no groups: the data of an event, {group_id, message}.
struct GroupEvent {
  std::string_view group;
  Message message;
};

/// Reads it from an event's serialized data, which is one valid value. `group_id` is a string or an
/// integer of 1 to kChannelNameBytesMax bytes, `message` a string, or any other value, which stands
/// for its JSON text; not an opaque one, but what is opaque within an array is null in that text.
/// Bytes that are not UTF-8 are a binary message: as text they would end the connections of all
/// members. Nothing if the data says no such thing. The views point into `data` and `scratch`.
[[nodiscard]] std::optional<GroupEvent> readGroupEvent(std::string_view data, std::string& scratch);

/// Appends the serialized data, with the keys in the order in which PHP programs write them.
void appendGroupEvent(std::string_view group, std::string_view message, std::string& out);

}  // namespace stormo::channel
