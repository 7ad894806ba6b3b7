#pragma once

#include <fmt/format.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace stormo::log {

enum class Level { Debug, Info, Warning, Error };

/// Format of a line:
///   Text  2026-11-26T16:11:29.123+01:00 info pid=71 role=master started program=chat
///   Json  {"time":"2026-11-26T16:11:29.123+01:00","level":"info","pid":71,"role":"master",
///          "message":"started","program":"chat"}
/// In text, a value is quoted unless it consists of printable characters other than space, quote,
/// backslash and `=`. Within quotes these are escaped: \" \\ \n \r \t, and bytes as \x1b.
enum class Format { Text, Json };

/// One key=value of a line.
struct Field {
  std::string_view key;
  std::string value;
  bool isNumber = false;    ///< A number or a bool.
  bool isInQuotes = false;  ///< In text: quoted even if the value does not need it.
};

struct Line {
  std::string_view time;
  Level level = Level::Info;
  pid_t pid = 0;
  std::string_view role;
  std::string message;
  std::vector<Field> fields;
};

/// Splits a format string into message and fields: ` key={}` and ` key="{}"` are fields, all other
/// text is the message. The result keeps views into `format`.
void parseFormat(std::string_view format, fmt::format_args arguments, Line& out);

/// The bytes of a line, including the newline.
[[nodiscard]] std::string formatLine(const Line& line, Format format);

}  // namespace stormo::log
