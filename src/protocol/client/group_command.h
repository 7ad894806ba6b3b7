#pragma once

#include <string>
#include <string_view>

#include "protocol/client/command_reader.h"

/// The commands of a group client, each one JSON object:
///
///     {"cmd":"add_group", "group_id":"123"}
///     {"cmd":"leave_group", "group_id":"123"}
///     {"cmd":"send_to_group", "group_id":"123", "message":"text"}
///     {"cmd":"refresh", "token":"eyJhbGciOi…"}
///     {"cmd":"whoami"}
///     {"cmd":"ping"}
namespace stormo {

enum class GroupCommand { AddGroup, LeaveGroup, SendToGroup, Refresh, WhoAmI, Ping };

struct GroupRequest {
  GroupCommand command = GroupCommand::AddGroup;
  std::string_view group;    ///< Not of Refresh, WhoAmI and Ping.
  std::string_view message;  ///< Of SendToGroup.
  std::string_view token;    ///< Of Refresh.
  std::string_view pong;     ///< Of Ping: the reply, in the form of the request.
};

/// Decodes commands, one after another. One decoder serves all connections of a worker. Once its
/// buffers have the size of the longest message, decoding a valid message does not allocate.
class GroupCommandDecoder {
 public:
  GroupCommandDecoder();

  /// Decodes one message. `out` is complete only with CommandError::None; its views are valid until
  /// the next call. The text must be one valid JSON object. Fields may have any order, the last of
  /// equal fields counts (as in PHP), and unknown fields are ignored. group_id may be an integer,
  /// which stands for its decimal text. A message that is no string is delivered as its JSON text
  /// without white space: 1.50 stays 1.50, and null is the text "null".
  [[nodiscard]] CommandError decode(std::string_view text, GroupRequest& out);

  /// The last error as a sentence; see CommandReader::detail().
  [[nodiscard]] std::string_view detail() const { return reader_.detail(); }

 private:
  CommandReader reader_;
};

/// {"cmd":"whoami","client":"…","user":"ada"}, without "user" if it is empty.
[[nodiscard]] std::string whoAmIReply(std::string_view client, std::string_view user);
/// {"cmd":"error","code":"...","message":"..."}
[[nodiscard]] std::string errorReply(std::string_view code, std::string_view message);

}  // namespace stormo
