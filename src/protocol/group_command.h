#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "protocol/json_fields.h"

/// The commands of a group client, each one JSON object:
///
///     {"cmd":"add_group", "group_id":"123"}
///     {"cmd":"leave_group", "group_id":"123"}
///     {"cmd":"send_to_group", "group_id":"123", "message":"text"}
namespace stormo {

inline constexpr std::size_t kGroupNameBytesMax = 255;

enum class GroupCommand { AddGroup, LeaveGroup, SendToGroup };

struct GroupRequest {
  GroupCommand command = GroupCommand::AddGroup;
  std::string_view group;
  std::string_view message;  ///< Of SendToGroup.
};

enum class GroupError {
  None,
  NotJson,
  NotAnObject,
  MissingField,
  WrongType,
  UnknownCommand,
  NameEmpty,
  NameTooLong,
};

/// Decodes commands, one after another; one decoder serves all connections of a worker. Once its
/// buffers have grown to the longest message, decoding a good message allocates nothing.
class GroupCommandDecoder {
 public:
  GroupCommandDecoder();

  /// Decodes one message; `out` is complete only with GroupError::None, and its views are valid
  /// until the next call. The whole text must be one valid JSON object. Fields come in any order,
  /// of a field given twice the last counts (as in PHP), and unknown fields are ignored. group_id
  /// may be an integer, which stands for its decimal text. A message that is no string is delivered
  /// as its JSON text, without white space: 1.50 stays 1.50, and null is the text "null".
  [[nodiscard]] GroupError decode(std::string_view text, GroupRequest& out);

  /// The last error as a sentence for the program's author: "group_id must be a string or an
  /// integer". Valid until the next decode(); empty if that went well.
  [[nodiscard]] std::string_view detail() const { return detail_; }

 private:
  GroupError fail(GroupError error, std::string sentence);

  JsonFields fields_;
  std::string detail_;
};

/// Reads the name of a group from a field that may be called otherwise: in `sentence` stands what
/// is wrong with it.
[[nodiscard]] GroupError readGroupName(JsonFields& fields, std::size_t field,
                                       std::string_view fieldName, std::string_view& group,
                                       std::string& sentence);

/// The start of what a peer has sent, for a sentence: cut between characters if it is long.
[[nodiscard]] std::string quotable(std::string_view text);

/// "not_json", "missing_field", ...; stable, for programs to compare.
[[nodiscard]] const char* codeName(GroupError error);

/// {"cmd":"error","code":"...","message":"..."}
[[nodiscard]] std::string errorReply(std::string_view code, std::string_view message);

}  // namespace stormo
