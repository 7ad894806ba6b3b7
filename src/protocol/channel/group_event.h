#pragma once

#include <stormo/message.h>

#include <optional>
#include <string>
#include <string_view>

namespace stormo::channel {

/// A group message as clients without group support encode it: an event with the data {group_id,
/// message}, or {user_id, message}, {client_id, message} and {all: true, message} for the other
/// audiences.
struct GroupEvent {
  std::string_view group;  ///< The name in the Channel.
  Message message;
};

/// What views of a GroupEvent may point to.
struct GroupEventScratch {
  std::string name;
  std::string text;
};

/// Reads a group message from an event's serialized data, which is one valid value. The ids are
/// strings or integers that Audience accepts, and only one of them counts. `message` is a string,
/// or any other value but an opaque one, and then its JSON text is the message (opaque values
/// within an array are null in that text). Bytes that are not UTF-8 are a binary message: as text
/// they would end the connections of all members. Nothing if the data is no group message. The
/// views point into `data` and `scratch`.
[[nodiscard]] std::optional<GroupEvent> readGroupEvent(std::string_view data,
                                                       GroupEventScratch& scratch);

/// Appends the serialized data of a message to a name of the Channel, with the keys in the order in
/// which PHP programs write them.
void appendGroupEvent(std::string_view group, std::string_view message, std::string& out);

}  // namespace stormo::channel
