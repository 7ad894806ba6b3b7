#include "config/environment.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <regex>
#include <string_view>

#include "base/nearest_word.h"

namespace stormo::config {
namespace {

constexpr std::string_view kPrefix = "STORMO_";

/// Variables that are no settings of this table, but are read elsewhere: in process/instance.cc, in
/// cli/secrets.cc, and by the test suite.
constexpr std::array<std::string_view, 6> kOthers = {
    "STORMO_RUNTIME_DIR",    "STORMO_CHANNEL_SECRET", "STORMO_TOKEN_SECRET",
    "STORMO_FAULTS_SECONDS", "STORMO_FAULTS_SEED",    "STORMO_SIMULATION_SEED"};

/// Kubernetes sets such variables for a service named stormo or stormo-something:
/// STORMO_PORT_1234_TCP_ADDR, STORMO_SERVICE_HOST.
bool isOfAnOrchestrator(const std::string& name) {
  static const std::regex kPattern(
      "STORMO_(\\w+_)?(SERVICE_HOST|SERVICE_PORT(_\\w+)?|"
      "PORT(_\\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)?)");
  return std::regex_match(name, kPattern);
}

std::string withoutSpaces(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

std::vector<std::string> elementsOf(std::string_view list) {
  std::vector<std::string> elements;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string element = withoutSpaces(list.substr(0, comma));
    if (!element.empty()) elements.push_back(std::move(element));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return elements;
}

std::vector<std::string> wordsOf(const SettingSpec& spec, const std::string& value) {
  using List = std::vector<std::string> Settings::*;
  using SlowRules = std::vector<SlowRule> Settings::*;
  using AccessRules = std::vector<AccessRule> Settings::*;
  const bool isList = std::holds_alternative<List>(spec.member) ||
                      std::holds_alternative<SlowRules>(spec.member) ||
                      std::holds_alternative<AccessRules>(spec.member);
  auto words = isList ? elementsOf(value) : std::vector<std::string>{value};
  if (!spec.isFile()) return words;
  for (std::string& word : words) {
    word = std::filesystem::absolute(word).lexically_normal().string();
  }
  return words;
}

std::string unknown(const std::string& name) {
  std::vector<std::string> known(kOthers.begin(), kOthers.end());
  for (const SettingSpec& spec : settingSpecs()) known.push_back(variableOf(spec));
  const auto nearest = nearestWord(name, known);
  return "the environment variable " + name + " is none of Stormo's and has no effect" +
         (nearest ? " (did you mean " + *nearest + "?)" : "");
}

}  // namespace

std::string variableOf(const SettingSpec& spec) {
  std::string name(kPrefix);
  for (const char c : std::string_view(spec.key)) {
    name +=
        c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

Environment::Environment(const char* const* variables) {
  const auto specs = settingSpecs();
  for (; *variables != nullptr; ++variables) {
    const std::string_view variable = *variables;
    const std::size_t equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == variable.npos) continue;
    const std::string name(variable.substr(0, equals));
    const std::string value(variable.substr(equals + 1));
    const auto spec = std::ranges::find(specs, name, variableOf);
    if (spec != specs.end()) {
      if (!value.empty()) values_.emplace_back(&*spec, wordsOf(*spec, value));
    } else if (std::ranges::find(kOthers, name) == kOthers.end() && !isOfAnOrchestrator(name)) {
      warnings_.push_back(unknown(name));
    }
  }
}

void Environment::apply(Settings& settings, bool onlyOfChannel) const {
  for (const auto& [spec, words] : values_) {
    if (onlyOfChannel && !spec->isOfChannel() && !spec->isOfLog()) continue;
    applyWords(*spec, variableOf(*spec), words, settings);
  }
}

}  // namespace stormo::config
