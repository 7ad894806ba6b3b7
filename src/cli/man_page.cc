#include "cli/man_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stormo/version.h>

#include <algorithm>
#include <string_view>

#include "config/environment.h"
#include "config/sample_file.h"

namespace stormo::cli {
namespace {

constexpr std::string_view kBegin = R"(.SH NAME
stormo \- real-time group messaging server
.SH SYNOPSIS
.B stormo
.I command
.RI [ option \&...]
.br
.B stormo channel
.I command
.RI [ option \&...]
.SH DESCRIPTION
Stormo is a server for real-time group messaging: clients connect by WebSocket, join groups, and
send to groups. Every member of a group receives the same messages, in the same order, exactly once,
also when a process of the server is killed. A master supervises the worker processes, which hold
the clients, and the Channel, which joins the workers.
.PP
.B stormo start
serves on port 1234 of all addresses, in the foreground. Options and values may be written as
.BI \-\-option= value
or as two words.
)";

constexpr std::string_view kSettings = R"(.SH SETTINGS
A setting is a flag of
.B start
and
.BR restart ,
an environment variable, or a key of the configuration file. A flag overrides the variable, which
overrides the file, which overrides the default. Flags and variables take
.BR true " or " false ", " yes " or " no ", " on " or " off ", " 1 " or " 0
for settings that are true or false, and such a flag without a value means
.BR true .
For a list a flag is repeated, and the elements of a variable
are separated by commas. An empty variable counts as not set.
.B restart
reuses the flags of the last start, but takes the variables and the file as they are now.
)";

constexpr std::string_view kEnd = R"(.SH ENVIRONMENT
.TP
.B STORMO_RUNTIME_DIR
The directory of the instances, if there is no
.BR \-\-runtime\-dir .
.TP
.B STORMO_CHANNEL_SECRET
The secret of the Channel, if there is no
.BR \-\-channel\-secret\-file .
A second line is a secret that is accepted, too.
.PP
SETTINGS lists the other variables. A variable that begins with STORMO_ and that is none of these is
reported as a warning on stderr.
.SH FILES
.TP
.I /etc/stormo/stormo.toml
The configuration file of the service. The program reads a file only if
.B \-\-config
names it.
.TP
.I /var/lib/stormo/NAME/
The directory of the instance NAME, if root or the service started it; else
.IR ~/.local/state/stormo/NAME/ .
It has the lock, the socket of the commands, the options of the last start, the Channel's log, and
the log file of a daemon.
.SH SIGNALS
The master reacts to these:
.TP
.BR SIGINT ", " SIGTERM
Stop.
.TP
.B SIGQUIT
Stop gracefully, within 60 s.
.TP
.B SIGUSR1
Reload.
.TP
.B SIGUSR2
Open the log file again.
.TP
.B SIGHUP
Read the TLS certificates again; stop a program in the foreground of a terminal.
.SH EXIT STATUS
.TP
.B 0
The command succeeded.
.TP
.B 1
It could not be carried out; one line on stderr states why.
.TP
.B 2
The command line is wrong.
.SH EXAMPLES
.nf
stormo start \-d \-\-workers 4
stormo status
stormo check\-config /etc/stormo/stormo.toml
STORMO_WORKERS=4 stormo start \-\-listen websocket://127.0.0.1:1234
stormo print config > stormo.toml
.fi
)";

/// Text in the syntax of man(7), on lines of its own.
std::string escaped(std::string_view text) {
  std::string out;
  bool isFirst = true;
  for (const char c : text) {
    // At the start of a line these two begin a request.
    if (isFirst && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    if (c == '-') out += "\\-";
    if (c == '~') out += "\\(ti";
    if (c == '^') out += "\\(ha";
    if (c != '\\' && c != '-' && c != '~' && c != '^') out += c;
    isFirst = c == '\n';
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + escaped(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + escaped(text) + "\\fR"; }

std::string sentence(std::string text) {
  if (!text.empty() && text.back() != '.') text += '.';
  return escaped(text) + '\n';
}

std::string optionEntry(const OptionText& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(bold(name));
  std::string line = fmt::format("{}", fmt::join(names, ", "));
  if (!option.value.empty()) {
    line +=
        ' ' + (option.choices.empty() ? italic(option.value)
                                      : escaped(fmt::format("{}", fmt::join(option.choices, "|"))));
  }
  const std::string fallback =
      option.defaultValue.empty() ? "" : " (default: " + option.defaultValue + ")";
  return ".TP\n" + line + '\n' + sentence(option.help + fallback);
}

/// The options that are not settings and that the command above does not have.
std::string optionsOf(const CommandText& command, const CommandText* above) {
  std::string text;
  const auto isAbove = [&](const OptionText& option) {
    return above != nullptr && std::ranges::any_of(above->options, [&](const OptionText& each) {
             return each.names == option.names && each.help == option.help;
           });
  };
  for (const OptionText& option : command.options) {
    const bool isHelp = option.names.back() == "--help" && above != nullptr;
    if (!option.isSetting && !isHelp && !isAbove(option)) text += optionEntry(option);
  }
  const bool hasSettings = std::ranges::any_of(command.options, &OptionText::isSetting);
  if (hasSettings) {
    text += ".PP\nThe flags of ";
    text += command.name.starts_with("stormo channel") ? "those SETTINGS that a Channel has.\n"
                                                       : "all SETTINGS.\n";
  }
  return text;
}

std::string commandEntry(const CommandText& command, const CommandText* above) {
  std::string heading = ".SS " + escaped(command.name);
  for (const std::string& positional : command.positionals) heading += ' ' + escaped(positional);
  return heading + '\n' + sentence(command.description) + optionsOf(command, above);
}

std::string defaultText(const config::SettingSpec& spec) {
  const std::string value = config::defaultOf(spec);
  return value == "\"\"" || value == "[]" ? "not set" : value;
}

std::string settingEntry(const config::SettingSpec& spec) {
  return fmt::format(".TP\n{}\n{}.br\nFlag {}, variable {}, default {}\n", bold(spec.key),
                     escaped(config::sentenceOf(spec)) + '\n', bold(spec.flag),
                     bold(config::variableOf(spec)), escaped(defaultText(spec)));
}

const CommandText* find(const std::vector<CommandText>& commands, std::string_view name) {
  const auto found = std::ranges::find(commands, name, &CommandText::name);
  return found == commands.end() ? nullptr : &*found;
}

}  // namespace

std::string manPage(const std::vector<CommandText>& commands) {
  std::string page = ".\\\" Made by: stormo print man\n.TH STORMO 1 \"\" \"stormo " STORMO_VERSION
                     "\" \"User Commands\"\n";
  page += kBegin;
  const CommandText* program = find(commands, "stormo");
  page += ".SH OPTIONS\nThese may be before or after a command.\n" + optionsOf(*program, nullptr);
  page += ".SH COMMANDS\n";
  for (const CommandText& command : commands) {
    if (&command == program) continue;
    const std::size_t last = command.name.rfind(' ');
    const CommandText* above = find(commands, std::string_view(command.name).substr(0, last));
    const bool isOfChannel = command.name.starts_with("stormo channel ");
    // The other commands of the Channel are those of the server.
    if (isOfChannel && command.name != "stormo channel start") continue;
    page += commandEntry(command, isOfChannel ? find(commands, "stormo start") : above);
    if (isOfChannel) {
      page += ".PP\nThe options and commands of a server, too: " + bold("stormo channel stop") +
              ", " + bold("stormo channel status") + ", and so on. The name of the instance is " +
              bold("stormo-channel") + ".\n";
    }
  }
  page += kSettings;
  for (const config::SettingSpec& spec : config::settingSpecs()) page += settingEntry(spec);
  page += kEnd;
  return page;
}

}  // namespace stormo::cli
