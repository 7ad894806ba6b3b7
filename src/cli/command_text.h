#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace stormo::cli {

/// What --help states about one option.
struct OptionText {
  std::vector<std::string> names;    ///< "-d" and "--daemon", the short ones first.
  std::string value;                 ///< "TEXT". Empty: it takes no value.
  std::vector<std::string> choices;  ///< The values that it takes. Empty: any.
  std::string help;
  std::string defaultValue;  ///< Empty: the help states it, or there is none.
  bool isValueOptional = false;
  bool isSetting = false;     ///< It is in the table of settings.
  bool isRepeatable = false;  ///< A setting that is a list.
};

/// What --help states about one command. The man page and the shells' completions are made of it.
struct CommandText {
  std::string name;  ///< "stormo", "stormo start", "stormo channel start".
  std::string description;
  std::vector<OptionText> options;
  std::vector<std::string> positionals;  ///< "file".
  std::vector<std::string> subcommands;  ///< "start". Each has a CommandText, too.
};

/// The command and those below it. Options of a command are also listed at those below it.
std::vector<CommandText> describe(const CLI::App& app);

}  // namespace stormo::cli
