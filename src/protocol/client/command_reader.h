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
  NameReserved,
};

/// The stable code of an error for programs: "not_json", "missing_field", …
[[nodiscard]] const char* codeName(CommandError error);

/// The common part of the decoders of commands, which are JSON objects with a field "cmd": reads
/// fields, referred to by their index in `names`, and describes errors. One reader serves all
/// connections of a worker.
class CommandReader {
 public:
  /// `names` must outlive the reader. "cmd" and "type" are among them.
  CommandReader(std::initializer_list<std::string_view> names);

  /// Starts with the next text, which must be one valid JSON object, or "ping".
  [[nodiscard]] CommandError read(std::string_view text);
  /// The reply if that text is a heartbeat in one of the forms that pages use because they cannot
  /// send WebSocket pings: "pong" to "ping", {"type":"pong"} to {"type":"ping"}. Empty if it is no
  /// heartbeat.
  [[nodiscard]] std::string_view heartbeatReply() const { return heartbeatReply_; }
  [[nodiscard]] JsonFields& fields() { return fields_; }

  [[nodiscard]] CommandError require(std::size_t field);
  /// A string or an integer of 1 to kGroupNameBytesMax bytes, without a zero byte at its start.
  [[nodiscard]] CommandError readGroup(std::size_t field, std::string_view& group);
  [[nodiscard]] CommandError readString(std::size_t field, std::string_view& string);
  /// The command of a name. `known` are pairs of name and command.
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

  /// Sets detail() to the name of the field and `what` is wrong with it.
  CommandError fail(CommandError error, std::size_t field, std::string_view what);
  CommandError fail(CommandError error, std::string_view sentence);
  /// The last error as a sentence for the client's developer: "group_id must be a string or an
  /// integer". Valid until the next read(); empty if there was no error.
  [[nodiscard]] std::string_view detail() const { return detail_; }

 private:
  [[nodiscard]] std::size_t placeOf(std::string_view name) const;
  CommandError unknown(std::size_t field, std::string_view name);

  std::vector<std::string_view> names_;
  JsonFields fields_;
  std::size_t cmd_;
  std::size_t type_;
  std::string_view heartbeatReply_;
  std::string detail_;
};

}  // namespace stormo
