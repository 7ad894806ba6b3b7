#include <algorithm>
#include <functional>
#include <limits>
#include <optional>

#include "base/nearest_word.h"
#include "config/api_key_settings.h"
#include "config/rule_settings.h"
#include "config/settings.h"
#include "config/slow_settings.h"
#include "config/toml.h"

namespace stormo::config {
namespace {

/// Reads one file into Settings, collecting what is wrong with it.
class FileReader {
 public:
  FileReader(std::string path, Settings& settings) : path_(std::move(path)), settings_(settings) {}

  /// Null: reads the file.
  std::vector<std::string> read(const std::string* text) {
    try {
      const toml::table table =
          text == nullptr ? toml::parse_file(path_) : toml::parse(*text, path_);
      visit(table, "");
    } catch (const toml::parse_error& error) {
      complain(error.source(), std::string(error.description()));
    }
    return std::move(complaints_);
  }

 private:
  void visit(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix + std::string(name.str());
      if (const toml::table* inner = node.as_table()) {
        visit(*inner, key + '.');
      } else if (key == "slow" && node.is_array_of_tables()) {
        setSlowRules(*node.as_array());
      } else if (key == "rules" && node.is_array_of_tables()) {
        setRules(*node.as_array());
      } else if (key == "api.keys" && node.is_array_of_tables()) {
        setApiKeys(*node.as_array());
      } else {
        set(key, node);
      }
    }
  }

  void set(const std::string& key, const toml::node& node) {
    const auto specs = settingSpecs();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const SettingSpec& candidate) {
      return candidate.key == key;
    });
    if (spec == specs.end()) {
      return complain(node.source(), "unknown setting '" + key + "'" + nearestTo(key));
    }
    const std::string wanted =
        std::visit([&](auto member) { return assign(settings_.*member, node); }, spec->member);
    if (!wanted.empty()) return complain(node.source(), "'" + key + "' must be " + wanted);
    if (spec->complaint == nullptr) return;
    const std::string complaint = spec->complaint(settings_);
    if (!complaint.empty()) complain(node.source(), "'" + key + "': " + complaint);
  }

  /// [[slow]] groups = "…" policy = "…" every-ms = …
  void setSlowRules(const toml::array& tables) {
    settings_.slow.clear();
    for (const toml::node& table : tables) {
      SlowRule rule;
      bool hasPolicy = false;
      for (const auto& [name, node] : *table.as_table()) {
        const std::string_view key = name.str();
        const std::string wanted = key == "groups"     ? assign(rule.groups, node)
                                   : key == "policy"   ? assignPolicy(rule.policy, node)
                                   : key == "every-ms" ? assignEvery(rule.every, node)
                                                       : std::string();
        hasPolicy |= key == "policy";
        if (!wanted.empty()) {
          complain(node.source(), "'slow." + std::string(key) + "' must be " + wanted);
        } else if (key != "groups" && key != "policy" && key != "every-ms") {
          const auto nearest = nearestWord(std::string(key), {"groups", "policy", "every-ms"});
          complain(node.source(), "unknown setting 'slow." + std::string(key) + "'" +
                                      (nearest ? " (did you mean 'slow." + *nearest + "'?)"
                                               : " ([[slow]] has groups, policy and every-ms)"));
        }
      }
      if (!hasPolicy) complain(table.source(), "this [[slow]] has no policy");
      if (const std::string wrong = complaintOfSlowRule(rule); !wrong.empty()) {
        complain(table.source(), wrong);
      }
      settings_.slow.push_back(std::move(rule));
    }
    if (const std::string wrong = complaintOfSlowRuleCount(settings_.slow.size()); !wrong.empty()) {
      complain(tables.source(), "'slow': " + wrong);
    }
  }

  /// [[rules]] groups = "…" join = "…" send = "…" envelope = …
  void setRules(const toml::array& tables) {
    settings_.rules.clear();
    for (const toml::node& table : tables) {
      AccessRule rule;
      bool isRead = true;
      for (const auto& [name, node] : *table.as_table()) {
        const std::string_view key = name.str();
        std::string wanted;
        if (key == "groups") {
          wanted = assign(rule.groups, node);
        } else if (key == "join" || key == "send") {
          wanted = assignWho(key == "join" ? rule.join : rule.send, node);
        } else if (key == "envelope") {
          wanted = assign(rule.envelope, node);
        } else {
          const auto nearest =
              nearestWord(std::string(key), {"groups", "join", "send", "envelope"});
          complain(node.source(), "unknown setting 'rules." + std::string(key) + "'" +
                                      (nearest ? " (did you mean 'rules." + *nearest + "'?)"
                                               : " ([[rules]] has groups, join, send, envelope)"));
          isRead = false;
        }
        if (wanted.empty()) continue;
        complain(node.source(), "'rules." + std::string(key) + "' must be " + wanted);
        isRead = false;
      }
      std::string wrong = isRead ? complaintOfRule(rule) : "";
      if (isRead && wrong.empty()) wrong = complaintOfOrder(settings_.rules, rule);
      if (!wrong.empty()) complain(table.source(), wrong);
      settings_.rules.push_back(std::move(rule));
    }
    if (const std::string wrong = complaintOfRuleCount(settings_.rules.size()); !wrong.empty()) {
      complain(tables.source(), "'rules': " + wrong);
    }
  }

  static std::string assignWho(std::optional<Who>& to, const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    const auto who = value ? whoNamed(*value) : std::nullopt;
    if (!who) return std::string(kWhoWords);
    to = who;
    return {};
  }

  /// [[api.keys]] name = "…" rights = ["…"] hash = "…"
  void setApiKeys(const toml::array& tables) {
    settings_.apiKeys.clear();
    for (const toml::node& table : tables) {
      ApiKeySetting key;
      for (const auto& [name, node] : *table.as_table()) {
        const std::string_view word = name.str();
        const std::string wanted = word == "name"     ? assign(key.name, node)
                                   : word == "rights" ? assign(key.rights, node)
                                   : word == "hash"   ? assign(key.hash, node)
                                                      : "one of name, rights and hash";
        if (!wanted.empty()) {
          complain(node.source(), "'api.keys." + std::string(word) + "' must be " + wanted);
        }
      }
      settings_.apiKeys.push_back(wordOf(key));
      const std::string wrong = complaintOfApiKeys(settings_.apiKeys);
      if (!wrong.empty()) complain(table.source(), "this [[api.keys]]: " + wrong);
    }
  }

  static std::string assignPolicy(SlowPolicy& to, const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    const auto policy = value ? slowPolicyNamed(*value) : std::nullopt;
    if (!policy) return "disconnect, drop-oldest, drop-newest or latest";
    to = *policy;
    return {};
  }
  static std::string assignEvery(std::chrono::milliseconds& to, const toml::node& node) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > kSlowEveryMax.count()) {
      return "a whole number of milliseconds from 1 to " + std::to_string(kSlowEveryMax.count());
    }
    to = std::chrono::milliseconds(*value);
    return {};
  }

  // Each gives what the value should have been, empty if it was.
  static std::string assign(std::string& to, const toml::node& node) {
    const auto value = node.value_exact<std::string>();
    if (!value) return "a string, in quotes";
    to = *value;
    return {};
  }
  static std::string assign(std::size_t& to, const toml::node& node) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0) return "a whole number from 0 on";
    to = static_cast<std::size_t>(*value);
    return {};
  }
  static std::string assign(bool& to, const toml::node& node) {
    const auto value = node.value_exact<bool>();
    if (!value) return "true or false";
    to = *value;
    return {};
  }
  static std::string assign(std::chrono::seconds& to, const toml::node& node) {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 0) return "a whole number of seconds";
    to = std::chrono::seconds(*value);
    return {};
  }
  static std::string assign(std::vector<std::string>& to, const toml::node& node) {
    if (const auto value = node.value_exact<std::string>()) {  // a list of one
      to = {*value};
      return {};
    }
    const toml::array* array = node.as_array();
    if (array == nullptr) return "a list of strings: [\"…\", \"…\"]";
    std::vector<std::string> values;
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value) return "a list of strings: [\"…\", \"…\"]";
      values.push_back(*value);
    }
    to = std::move(values);
    return {};
  }

  /// In one line each, as on the command line.
  static std::string assign(std::vector<SlowRule>& to, const toml::node& node) {
    static const std::string kWanted =
        "[[slow]] tables, or a list of " + std::string(kSlowRuleForm);
    std::vector<std::string> words;
    if (!assign(words, node).empty()) return kWanted;
    std::vector<SlowRule> rules;
    for (const std::string& word : words) {
      const auto rule = slowRuleIn(word);
      if (!rule) return kWanted;
      rules.push_back(*rule);
    }
    to = std::move(rules);
    return {};
  }

  static std::string assign(std::vector<AccessRule>& to, const toml::node& node) {
    static const std::string kWanted = "[[rules]] tables, or a list of " + std::string(kRuleForm);
    std::vector<std::string> words;
    if (!assign(words, node).empty()) return kWanted;
    std::vector<AccessRule> rules;
    for (const std::string& word : words) {
      const auto rule = ruleIn(word);
      if (!rule) return kWanted;
      rules.push_back(*rule);
    }
    to = std::move(rules);
    return {};
  }

  /// " (did you mean '…'?)" if a key is close.
  static std::string nearestTo(const std::string& key) {
    std::vector<std::string> keys;
    for (const SettingSpec& spec : settingSpecs()) keys.emplace_back(spec.key);
    const auto nearest = nearestWord(key, keys);
    return nearest ? " (did you mean '" + *nearest + "'?)" : " (see 'stormo start --help')";
  }

  void complain(const toml::source_region& where, const std::string& what) {
    const std::string line = where.begin.line == 0 ? "" : ':' + std::to_string(where.begin.line);
    complaints_.push_back(path_ + line + ": " + what);
  }

  const std::string path_;
  Settings& settings_;
  std::vector<std::string> complaints_;
};

/// How well a complaint fits one setting of a file: by its name better than by its value, and by a
/// long value better than by a short one, which may be part of some other word. 0: not at all.
std::size_t fit(std::string_view complaint, const std::string& key, const toml::node& node) {
  constexpr std::size_t kNamed = std::size_t{1} << 32;
  for (const SettingSpec& spec : settingSpecs()) {
    if (key != spec.key) continue;
    for (const std::string& name : {"'" + key + "'", spec.flag + std::string(" ")}) {
      // The first that it names is the one to look at.
      const std::size_t at = complaint.find(name);
      if (at != complaint.npos) return kNamed - at;
    }
  }
  const auto value = node.value<std::string>();
  const bool isNamed = value && !value->empty() && complaint.find(*value) != complaint.npos;
  return isNamed ? value->size() : 0;
}

}  // namespace

std::string placeInFile(const std::string& path, std::string_view complaint) {
  std::size_t best = 0;
  toml::source_index line = 0;
  const std::function<void(const toml::table&, const std::string&)> visit =
      [&](const toml::table& table, const std::string& prefix) {
        for (const auto& [name, node] : table) {
          const std::string key = prefix + std::string(name.str());
          if (const toml::table* inner = node.as_table()) {
            visit(*inner, key + '.');
          } else if (node.is_array_of_tables()) {
            for (const toml::node& each : *node.as_array()) visit(*each.as_table(), key + '.');
          } else if (const std::size_t here = fit(complaint, key, node); here > best) {
            best = here;
            line = node.source().begin.line;
          }
        }
      };
  try {
    visit(toml::parse_file(path), "");
  } catch (const toml::parse_error&) {
    return path;
  }
  return line == 0 ? path : path + ':' + std::to_string(line);
}

std::vector<std::string> applyFile(const std::string& path, Settings& settings) {
  return FileReader(path, settings).read(nullptr);
}

std::vector<std::string> applyText(const std::string& path, const std::string& text,
                                   Settings& settings) {
  return FileReader(path, settings).read(&text);
}

}  // namespace stormo::config
