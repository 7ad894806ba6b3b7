#include "config/settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>

#include "config/rule_settings.h"
#include "config/slow_settings.h"

namespace stormo::config {
namespace {

std::size_t numberIn(const std::string& name, const std::string& word) {
  std::size_t number = 0;
  const auto [end, errc] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (errc != std::errc{} || end != word.data() + word.size()) {
    throw std::invalid_argument(name + ": '" + word + "' is not a number");
  }
  return number;
}

bool boolIn(const std::string& name, const std::string& word) {
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  throw std::invalid_argument(name + ": '" + word + "' is neither true nor false");
}

struct WordSetter {
  const std::string& name;
  const std::vector<std::string>& words;
  Settings& settings;

  void operator()(std::string Settings::*member) const { settings.*member = words.back(); }
  void operator()(std::size_t Settings::*member) const {
    settings.*member = numberIn(name, words.back());
  }
  void operator()(bool Settings::*member) const { settings.*member = boolIn(name, words.back()); }
  void operator()(std::chrono::seconds Settings::*member) const {
    settings.*member = std::chrono::seconds(numberIn(name, words.back()));
  }
  void operator()(std::vector<std::string> Settings::*member) const { settings.*member = words; }
  void operator()(std::vector<SlowRule> Settings::*member) const {
    (settings.*member).clear();
    for (const std::string& word : words) {
      const auto rule = slowRuleIn(word);
      if (!rule) {
        throw std::invalid_argument(name + ": '" + word + "' is not " + std::string(kSlowRuleForm));
      }
      (settings.*member).push_back(*rule);
    }
  }
  void operator()(std::vector<AccessRule> Settings::*member) const {
    (settings.*member).clear();
    for (const std::string& word : words) {
      const auto rule = ruleIn(word);
      if (!rule) {
        throw std::invalid_argument(name + ": '" + word + "' is not " + std::string(kRuleForm));
      }
      (settings.*member).push_back(*rule);
    }
  }
};

}  // namespace

std::optional<channel::SyncPolicy> syncPolicyNamed(std::string_view name) {
  using channel::SyncPolicy;
  for (const auto policy : {SyncPolicy::Process, SyncPolicy::Interval, SyncPolicy::Always}) {
    if (name == syncPolicyText(policy)) return policy;
  }
  return std::nullopt;
}

std::optional<unsigned> socketModeIn(std::string_view octal) {
  unsigned mode = 0;
  const auto [end, errc] = std::from_chars(octal.data(), octal.data() + octal.size(), mode, 8);
  const bool isWhole = errc == std::errc{} && end == octal.data() + octal.size();
  return isWhole && mode > 0 && mode <= 0777 ? std::optional(mode) : std::nullopt;
}

bool SettingSpec::isOfChannel() const {
  const std::string_view name = key;
  return name.starts_with("history.") || name.starts_with("tls.") || name == "cluster" ||
         name.starts_with("node") || name.starts_with("nats.") ||
         name == "channel.workerman-peers" || name.starts_with("channel.replay-") ||
         name.starts_with("channel.log-") || name == "channel.stall-seconds" ||
         name == "limits.message-bytes";
}

bool SettingSpec::isFile() const {
  const std::string_view name = flag;
  return name.ends_with("-file") || name.starts_with("--tls-");
}

bool SettingSpec::isFlag() const { return std::holds_alternative<bool Settings::*>(member); }

bool Settings::isDryRun(std::string_view limit) const {
  return std::ranges::find(dryRunLimits, limit) != dryRunLimits.end();
}

bool SettingSpec::isOfLog() const { return std::string_view(key).starts_with("log."); }

void applyWords(const SettingSpec& spec, const std::string& name,
                const std::vector<std::string>& words, Settings& settings) {
  std::visit(WordSetter{name, words, settings}, spec.member);
  const std::string complaint =
      spec.complaint == nullptr ? std::string() : spec.complaint(settings);
  if (!complaint.empty()) throw std::invalid_argument(name + ": " + complaint);
}

void applyFlag(const SettingSpec& spec, const std::vector<std::string>& words, Settings& settings) {
  applyWords(spec, spec.flag, words, settings);
}

}  // namespace stormo::config
