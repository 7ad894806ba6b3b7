#include "cli/completions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace stormo::cli {
namespace {

constexpr std::string_view kProgram = "stormo";

/// "channel start" for "stormo channel start", empty for "stormo".
std::string withoutProgram(const std::string& name) {
  return name == kProgram ? std::string() : name.substr(kProgram.size() + 1);
}

/// The commands after `command`. Those with programs of their own, "stormo bench", are none of the
/// subcommands that the server's parser knows.
std::vector<std::string> wordsAfter(const CommandText& command,
                                    const std::vector<CommandText>& all) {
  std::vector<std::string> words = command.subcommands;
  if (command.name != kProgram) return words;
  for (const CommandText& each : all) {
    const std::string rest = withoutProgram(each.name);
    const bool isListed = std::ranges::find(words, rest) != words.end();
    if (!rest.empty() && rest.find(' ') == rest.npos && !isListed) words.push_back(rest);
  }
  return words;
}

// %COMMANDS%, %OPTIONS%, %VALUES% and %TAKING% are replaced.
constexpr std::string_view kBash =
    R"--(# Completion of stormo(1) for bash, made by: stormo print bash-completion

# The commands after a command, or nothing if it has none.
_stormo_commands() {
  case $1 in
%COMMANDS%  esac
}

_stormo_options() {
  case $1 in
%OPTIONS%  esac
}

# The values of an option, if they are known.
_stormo_values() {
  case $1 in
%VALUES%  esac
}

_stormo_takes_value() {
  case $1 in
    %TAKING%) ;;
    *) false ;;
  esac
}

_stormo() {
  local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' previous='' word
  # bash splits --option=value into three words.
  [[ $current == = ]] && current=''
  [[ $option == = ]] && option=${COMP_WORDS[COMP_CWORD - 2]}
  for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
    [[ $word == = ]] && continue
    if ! _stormo_takes_value "$previous" &&
      [[ " $(_stormo_commands "$command") " == *" $word "* ]]; then
      command=${command:+$command }$word
    fi
    previous=$word
  done

  COMPREPLY=()  # without a reply bash completes names of files
  if _stormo_takes_value "$option" && [[ $current != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_stormo_values "$option")" -- "$current")
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_stormo_options "$command")" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -W "$(_stormo_commands "$command")" -- "$current")
  fi
}
complete -o default -F _stormo stormo
)--";

constexpr std::string_view kZsh = R"--(#compdef stormo
# Completion of stormo(1) for zsh, made by: stormo print zsh-completion

# The commands after a command, or nothing if it has none.
_stormo_commands() {
  case $1 in
%COMMANDS%  esac
}

_stormo_takes_value() {
  case $1 in
    %TAKING%) ;;
    *) false ;;
  esac
}

_stormo() {
  local command previous word
  for word in ${words[2,CURRENT - 1]}; do
    if ! _stormo_takes_value "$previous" &&
      [[ " $(_stormo_commands "$command") " == *" $word "* ]]; then
      command=${command:+$command }$word
    fi
    previous=$word
  done
  case $command in
%OPTIONS%  esac
}

_stormo "$@"
)--";

void fill(std::string& text, std::string_view place, const std::string& content) {
  text.replace(text.find(place), place.size(), content);
}

std::string commandCases(const std::vector<CommandText>& commands) {
  std::string cases;
  for (const CommandText& command : commands) {
    const std::vector<std::string> words = wordsAfter(command, commands);
    if (words.empty()) continue;
    cases += fmt::format("    '{}') echo '{}' ;;\n", withoutProgram(command.name),
                         fmt::join(words, " "));
  }
  return cases;
}

/// The long names, as a pattern of a shell's case. A short one may be a flag of another command.
std::string optionsWithValue(const std::vector<CommandText>& commands) {
  std::set<std::string> names;
  for (const CommandText& command : commands) {
    for (const OptionText& option : command.options) {
      if (!option.value.empty()) names.insert(option.names.back());
    }
  }
  return fmt::format("{}", fmt::join(names, " | "));
}

/// One argument of zsh's _arguments, in single quotes.
std::string zshSpec(const OptionText& option, const std::string& name) {
  std::string help;
  for (const char c : option.help) {
    if (c == '\'') {
      help += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == '\\' || c == ':') help += '\\';
    help += c == '\n' ? ' ' : c;
  }
  const std::string times = option.isRepeatable ? "*" : "";
  if (option.value.empty()) return fmt::format("'{}{}[{}]'", times, name, help);
  const bool isLong = name.starts_with("--");
  const std::string action =
      option.choices.empty() ? "_files" : fmt::format("({})", fmt::join(option.choices, " "));
  return fmt::format("'{}{}{}[{}]{}value:{}'", times, name, isLong ? "=" : "+", help,
                     option.isValueOptional ? "::" : ":", action);
}

}  // namespace

std::string bashCompletion(const std::vector<CommandText>& commands) {
  std::string options;
  std::map<std::string, std::string> values;
  for (const CommandText& command : commands) {
    std::vector<std::string> names;
    for (const OptionText& option : command.options) {
      for (const std::string& name : option.names) {
        names.push_back(name);
        if (!option.choices.empty())
          values[name] = fmt::format("{}", fmt::join(option.choices, " "));
      }
    }
    options += fmt::format("    '{}') echo '{}' ;;\n", withoutProgram(command.name),
                           fmt::join(names, " "));
  }
  std::string valueCases;
  for (const auto& [name, choices] : values) {
    valueCases += fmt::format("    {}) echo '{}' ;;\n", name, choices);
  }
  std::string script(kBash);
  fill(script, "%COMMANDS%", commandCases(commands));
  fill(script, "%OPTIONS%", options);
  fill(script, "%VALUES%", valueCases);
  fill(script, "%TAKING%", optionsWithValue(commands));
  return script;
}

std::string zshCompletion(const std::vector<CommandText>& commands) {
  std::string cases;
  for (const CommandText& command : commands) {
    cases += fmt::format("    '{}')\n      _arguments -s", withoutProgram(command.name));
    for (const OptionText& option : command.options) {
      for (const std::string& name : option.names) cases += " \\\n        " + zshSpec(option, name);
    }
    const std::vector<std::string> words = wordsAfter(command, commands);
    cases += " \\\n        ";
    cases +=
        words.empty() ? "'*:file:_files'" : fmt::format("'*:command:({})'", fmt::join(words, " "));
    cases += "\n      ;;\n";
  }
  std::string script(kZsh);
  fill(script, "%COMMANDS%", commandCases(commands));
  fill(script, "%TAKING%", optionsWithValue(commands));
  fill(script, "%OPTIONS%", cases);
  return script;
}

}  // namespace stormo::cli
