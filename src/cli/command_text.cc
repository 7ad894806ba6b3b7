#include "cli/command_text.h"

#include <algorithm>
#include <string_view>

#include "config/settings.h"
#include "process/instance.h"

namespace stormo::cli {
namespace {

/// The help of this user's program names this user's directory; the texts are for all users.
std::string forAllUsers(std::string help) {
  const std::string own = process::defaultRuntimeDirectory();
  if (const std::size_t at = help.find(own); at != help.npos) {
    help.replace(at, own.size(), "/var/lib/stormo for root and ~/.local/state/stormo for others");
  }
  return help;
}

/// "error" and "info" of "TEXT:{error,info}".
std::vector<std::string> choicesIn(const std::string& type) {
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open == type.npos || close == type.npos) return {};
  std::vector<std::string> choices;
  std::string_view list = std::string_view(type).substr(open + 1, close - open - 1);
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    choices.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return choices;
}

const config::SettingSpec* settingOf(const std::string& flag) {
  const auto specs = config::settingSpecs();
  const auto spec = std::ranges::find(specs, flag, &config::SettingSpec::flag);
  return spec == specs.end() ? nullptr : &*spec;
}

OptionText describe(const CLI::Option& option) {
  OptionText text;
  for (const std::string& name : option.get_snames()) text.names.push_back('-' + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  text.help = forAllUsers(option.get_description());
  text.defaultValue = option.get_default_str();
  text.isSetting = option.get_group() == "Settings";
  if (option.get_items_expected_max() == 0) return text;
  const std::string type = option.get_type_name();
  text.value = type.empty() ? "VALUE" : type.substr(0, type.find_first_of(":{"));
  text.choices = choicesIn(type);
  if (!text.isSetting) return text;
  if (const config::SettingSpec* spec = settingOf(text.names.back())) {
    using List = std::vector<std::string> config::Settings::*;
    text.isRepeatable = std::holds_alternative<List>(spec->member);
    if (spec->isFlag()) {
      text.isValueOptional = true;
      text.choices = {"true", "false"};
    }
  }
  return text;
}

void describeInto(const CLI::App& app, const CommandText* above, std::vector<CommandText>& all) {
  CommandText text;
  text.name = above == nullptr ? app.get_name() : above->name + ' ' + app.get_name();
  text.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) {
      text.options.push_back(describe(*option));
    } else {
      text.positionals.push_back(option->get_name(true));
    }
  }
  if (above != nullptr) {
    for (const OptionText& option : above->options) {
      if (option.names.back() != "--help" && option.names.back() != "--version") {
        text.options.push_back(option);
      }
    }
  }
  const std::vector<const CLI::App*> below = app.get_subcommands({});
  for (const CLI::App* each : below) text.subcommands.push_back(each->get_name());
  all.push_back(text);
  for (const CLI::App* each : below) describeInto(*each, &text, all);
}

}  // namespace

std::vector<CommandText> describe(const CLI::App& app) {
  std::vector<CommandText> all;
  describeInto(app, nullptr, all);
  return all;
}

}  // namespace stormo::cli
