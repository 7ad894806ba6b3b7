#include "config/sample_file.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <vector>

namespace stormo::config {
namespace {

constexpr std::size_t kColumns = 90;

constexpr std::string_view kPreface =
    R"(# Settings of the server stormo. A line that begins with # and a key shows a default: to change
# it, remove the # and edit the value. Environment variables override this file
# (STORMO_LIMITS_MESSAGE_BYTES for message-bytes in [limits]), and flags override both.
#
# Check a change, then apply it:
#     stormo check-config /etc/stormo/stormo.toml
#     systemctl restart stormo
)";

constexpr std::string_view kListen =
    R"(# Here only programs on this machine can connect, such as a reverse proxy. Before you listen on
# other addresses, read docs/deploy.md.
listen = "websocket://127.0.0.1:1234"
)";

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

struct ValueText {
  const Settings& settings;
  std::string operator()(std::string Settings::*member) const { return quoted(settings.*member); }
  std::string operator()(std::size_t Settings::*member) const {
    return std::to_string(settings.*member);
  }
  std::string operator()(bool Settings::*member) const {
    return settings.*member ? "true" : "false";
  }
  std::string operator()(std::chrono::seconds Settings::*member) const {
    return std::to_string((settings.*member).count());
  }
  std::string operator()(std::vector<std::string> Settings::*member) const {
    std::string out;
    for (const std::string& element : settings.*member) {
      out += (out.empty() ? "" : ", ") + quoted(element);
    }
    return '[' + out + ']';
  }
  /// Only defaults are written, and no rule is one.
  std::string operator()(std::vector<SlowRule> Settings::*) const { return "[]"; }
  std::string operator()(std::vector<AccessRule> Settings::*) const { return "[]"; }
};

bool isPartOfWord(char c) { return c == '-' || std::isalnum(static_cast<unsigned char>(c)) != 0; }

void replaceWords(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at)) {
    const std::size_t end = at + from.size();
    const bool isWhole = (at == 0 || !isPartOfWord(text[at - 1])) &&
                         (end == text.size() || !isPartOfWord(text[end]));
    if (isWhole) text.replace(at, from.size(), to);
    at += isWhole ? to.size() : from.size();
  }
}

/// "limits" for "limits.message-bytes", empty for "listen".
std::string_view tableOf(const SettingSpec& spec) {
  const std::string_view key = spec.key;
  const std::size_t dot = key.rfind('.');
  return dot == key.npos ? std::string_view() : key.substr(0, dot);
}

std::string entry(const SettingSpec& spec) {
  const std::string_view key = spec.key;
  std::string text = '\n' + wrapped(sentenceOf(spec), "# ", kColumns);
  if (key == "listen") return text + std::string(kListen);
  text += '#';
  text += key.substr(tableOf(spec).empty() ? 0 : tableOf(spec).size() + 1);
  return text + " = " + defaultOf(spec) + '\n';
}

}  // namespace

std::string wrapped(std::string_view text, std::string_view prefix, std::size_t columns) {
  std::istringstream words{std::string(text)};
  std::string lines;
  std::string line(prefix);
  bool isEmpty = true;
  for (std::string word; words >> word; isEmpty = false) {
    if (!isEmpty && line.size() + 1 + word.size() > columns) {
      lines += line + '\n';
      line = prefix;
      isEmpty = true;
    }
    line += (isEmpty ? "" : " ") + word;
  }
  return isEmpty ? lines : lines + line + '\n';
}

std::string sentenceOf(const SettingSpec& spec) {
  std::string text = spec.help;
  for (const SettingSpec& other : settingSpecs()) {
    replaceWords(text, other.flag, other.key);
  }
  constexpr std::string_view kRepeatable = "; repeatable";
  if (const std::size_t at = text.find(kRepeatable); at != text.npos) {
    text.replace(at, kRepeatable.size(), "; one, or a list of them");
  }
  const auto first = static_cast<unsigned char>(text[0]);
  text[0] = static_cast<char>(std::toupper(first));
  return text + '.';
}

std::string defaultOf(const SettingSpec& spec) {
  static const Settings kDefaults;
  return std::visit(ValueText{kDefaults}, spec.member);
}

std::string sampleFile() {
  std::vector<std::string_view> tables = {""};
  for (const SettingSpec& spec : settingSpecs()) {
    if (std::ranges::find(tables, tableOf(spec)) == tables.end()) tables.push_back(tableOf(spec));
  }
  std::string text(kPreface);
  for (const std::string_view table : tables) {
    if (!table.empty()) text += "\n[" + std::string(table) + "]\n";
    for (const SettingSpec& spec : settingSpecs()) {
      if (tableOf(spec) == table) text += entry(spec);
    }
  }
  return text;
}

}  // namespace stormo::config
