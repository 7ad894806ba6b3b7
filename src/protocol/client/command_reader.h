#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/json/fields.h"

namespace stormo {

inline constexpr std::size_t kGroupNameBytesMax = 255;

enum class CommandError {
  None,
  NotJson,
  NotAnObject,
  MissingField,
  WrongType,
  UnknownCommand,
  NameEmpty,
  NameTooLong,
};

/// "not_json", "missing_field", ...; stable, for programs to compare.
[[nodiscard]] const char* codeName(CommandError error);

/// What the decoders of commands have in common, which are JSON objects with a field "cmd": it
/// reads their fields, called by their places in `names`, and says in words what is wrong with
/// them. One reader serves all connections of a worker.
class CommandReader {
 public:
  /// `names` live as long as this; "cmd" and "type" are among them.
  CommandReader(std::initializer_list<std::string_view> names);

  /// Begins with another text, which must be one valid JSON object, or "ping".
  [[nodiscard]] CommandError read(std::string_view text);
  /// What is to be replied if that text is a heartbeat in one of the forms that pages use, which
  /// cannot send WebSocket's pings: "pong" to "ping", {"type":"pong"} to {"type":"ping"}. Empty if
  /// it is none.
  [[nodiscard]] std::string_view heartbeatReply() const { return heartbeatReply_; }
  [[nodiscard]] JsonFields& fields() { return fields_; }

  [[nodiscard]] CommandError require(std::size_t field);
  /// A string or an integer, of 1 to kGroupNameBytesMax bytes.
  [[nodiscard]] CommandError readGroup(std::size_t field, std::string_view& group);
  /// One of the commands: `known` are pairs of name and command.
  template <typename Known, typename Command>
  [[nodiscard]] CommandError readCommand(std::size_t field, const Known& known, Command& command) {
    std::string_view name;
    if (const auto error = readString(field, name); error != CommandError::None) return error;
    for (const auto& [knownName, itsCommand] : known) {
      if (name != knownName) continue;
      command = itsCommand;
      return CommandError::None;
    }
    return unknown(field, name);
  }

  /// The field's name and `what` is wrong with it.
  CommandError fail(CommandError error, std::size_t field, std::string_view what);
  CommandError fail(CommandError error, std::string_view sentence);
  /// The last error as a sentence for the program's author: "group_id must be a string or an
  /// integer". Valid until the next read(); empty if there was none.
  [[nodiscard]] std::string_view detail() const { return detail_; }

 private:
  [[nodiscard]] std::size_t placeOf(std::string_view name) const;
  CommandError readString(std::size_t field, std::string_view& string);
  CommandError unknown(std::size_t field, std::string_view name);

  std::vector<std::string_view> names_;
  JsonFields fields_;
  std::size_t cmd_;
  std::size_t type_;
  std::string_view heartbeatReply_;
  std::string detail_;
};

}  // namespace stormo
