#include "sys/log_line.h"

#include <iterator>

namespace stormo::log {
namespace {

std::string_view nameOf(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
  }
  return "info";
}

// --- Characters ---

unsigned char byteAt(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

/// Length in bytes of the UTF-8 character at the front (RFC 3629); 0 if there is none.
std::size_t characterBytes(std::string_view text) {
  const unsigned char first = byteAt(text, 0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byteAt(text, i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = byteAt(text, 1);
  const bool isOverlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool isBeyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return isOverlong || isBeyond ? 0 : size;
}

/// Characters that can control a terminal: C0, DEL, and C1, where U+009B starts a sequence like ESC
/// [.
bool isControl(std::string_view character) {
  const unsigned char first = byteAt(character, 0);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && byteAt(character, 1) < 0xa0);
}

void appendBytesEscaped(std::string_view bytes, std::string& out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", byteAt(bytes, i));
  }
}

/// The letter after the backslash; 0 if this byte has no short escape.
char shortEscape(char c) {
  switch (c) {
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

/// Calls plain(character) or escaped(bytes). Bytes that are not a character are escaped one by one.
template <typename Plain, typename Escaped>
void forEachCharacter(std::string_view text, Plain plain, Escaped escaped) {
  while (!text.empty()) {
    const std::size_t size = characterBytes(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (size == 0 || isControl(character)) {
      escaped(character);
    } else {
      plain(character);
    }
    text.remove_prefix(character.size());
  }
}

/// Escapes the text so that the line stays one line and does not control a terminal.
void appendText(std::string_view text, std::string_view alsoEscaped, std::string& out) {
  forEachCharacter(
      text,
      [&](std::string_view character) {
        if (alsoEscaped.find(character[0]) != alsoEscaped.npos) out += '\\';
        out += character;
      },
      [&](std::string_view bytes) {
        if (const char letter = shortEscape(bytes[0])) {
          out += '\\';
          out += letter;
        } else {
          appendBytesEscaped(bytes, out);
        }
      });
}

bool needsQuotes(std::string_view value) {
  if (value.empty()) return true;
  bool needs = false;
  forEachCharacter(
      value,
      [&](std::string_view character) {
        needs = needs || std::string_view(" \"\\=").find(character[0]) != std::string_view::npos;
      },
      [&](std::string_view) { needs = true; });
  return needs;
}

void appendTextValue(std::string_view value, bool isInQuotes, std::string& out) {
  if (!isInQuotes && !needsQuotes(value)) {
    out += value;
    return;
  }
  out += '"';
  appendText(value, "\"\\", out);
  out += '"';
}

/// A JSON string (RFC 8259 7). Bytes that are not a character become U+FFFD.
void appendJsonString(std::string_view value, std::string& out) {
  out += '"';
  forEachCharacter(
      value,
      [&](std::string_view character) {
        if (character == "\"" || character == "\\") out += '\\';
        out += character;
      },
      [&](std::string_view bytes) {
        const unsigned char first = byteAt(bytes, 0);
        if (const char letter = shortEscape(bytes[0])) {
          out += '\\';
          out += letter;
        } else if (first < 0x80) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", first);
        } else if (bytes.size() == 2) {  // C1
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", byteAt(bytes, 1));
        } else {
          out += "\\ufffd";
        }
      });
  out += '"';
}

// --- Lines ---

std::string textLine(const Line& line) {
  std::string out = fmt::format("{} {} pid={} role=", line.time, nameOf(line.level), line.pid);
  appendTextValue(line.role, false, out);
  out += ' ';
  appendText(line.message, "", out);
  for (const Field& field : line.fields) {
    out += ' ';
    out += field.key;
    out += '=';
    appendTextValue(field.value, field.isInQuotes, out);
  }
  out += '\n';
  return out;
}

std::string jsonLine(const Line& line) {
  std::string out = fmt::format(R"({{"time":"{}","level":"{}","pid":{},"role":)", line.time,
                                nameOf(line.level), line.pid);
  appendJsonString(line.role, out);
  out += R"(,"message":)";
  appendJsonString(line.message, out);
  for (const Field& field : line.fields) {
    out += ',';
    appendJsonString(field.key, out);
    out += ':';
    if (field.isNumber) {
      out += field.value;
    } else {
      appendJsonString(field.value, out);
    }
  }
  out += "}\n";
  return out;
}

// --- Format strings ---

bool isOfKey(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// The key of the field whose value follows `before`; empty if the value is part of the message.
std::string_view keyAtEnd(std::string_view before) {
  if (!before.ends_with('=')) return {};
  before.remove_suffix(1);
  std::size_t begin = before.size();
  while (begin > 0 && isOfKey(before[begin - 1])) --begin;
  return begin > 0 && before[begin - 1] == ' ' ? before.substr(begin) : std::string_view();
}

bool isJsonNumber(fmt::format_args arguments, int index, std::string_view value) {
  if (!arguments.get(index).is_arithmetic()) return false;
  return value == "true" || value == "false" ||
         value.find_first_not_of("0123456789.-") == std::string_view::npos;
}

}  // namespace

void parseFormat(std::string_view format, fmt::format_args arguments, Line& out) {
  std::string_view literal = format;  // not parsed yet
  for (int index = 0;; ++index) {
    const std::size_t open = literal.find('{');
    const std::size_t close = literal.find('}', open);
    if (open == literal.npos || close == literal.npos) break;
    const std::string_view spec = literal.substr(open + 1, close - open - 1);  // "" or ":.2f"
    const std::string value = fmt::vformat(fmt::format("{{{}{}}}", index, spec), arguments);
    std::string_view before = literal.substr(0, open);
    literal.remove_prefix(close + 1);
    const bool isInQuotes = before.ends_with('"') && literal.starts_with('"');
    const std::string_view key = keyAtEnd(before.substr(0, before.size() - (isInQuotes ? 1 : 0)));
    if (key.empty()) {
      out.message += before;
      out.message += value;
      continue;
    }
    if (isInQuotes) literal.remove_prefix(1);
    out.message += before.substr(0, static_cast<std::size_t>(key.data() - before.data()) - 1);
    out.fields.push_back({.key = key,
                          .value = value,
                          .isNumber = !isInQuotes && isJsonNumber(arguments, index, value),
                          .isInQuotes = isInQuotes});
  }
  out.message += literal;
}

std::string formatLine(const Line& line, Format format) {
  return format == Format::Json ? jsonLine(line) : textLine(line);
}

}  // namespace stormo::log
