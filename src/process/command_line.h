#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "process/program.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace stormo::process {

/// The command line of every program made with the framework: `start`, `stop`, `restart`, `reload`,
/// `status`, `connections`, with their options, `--help` and `--version`.
class CommandLine {
 public:
  /// `programName` is in every message, and is the instance's name unless --instance is given (a
  /// space becomes '-'); of each name one instance runs in one runtime directory. `description` is
  /// the first line of --help. `version` is what --version prints; by default the program's name
  /// and Stormo's version.
  CommandLine(std::string programName, std::string description, std::string version = {});
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// For programs with options and commands of their own. A command's callback runs during parse().
  /// A std::exception from it is printed as one line, with status 1; CLI::RuntimeError(n) means
  /// status n.
  CLI::App& app();
  /// Adds options to `start` and `restart`. `restart` reuses those of the last start that it is not
  /// given, and parses a second time for that. Options that name a file need takesFile().
  void addStartOptions(const std::function<void(CLI::App&)>& add);

  /// Parses the words after the program's name. Returns an exit status if there is nothing more to
  /// do: 0 after --help and --version, 2 if the command line is wrong.
  std::optional<int> parse(const std::vector<std::string>& words);
  /// After parse(): executes the command, and returns the exit status: 0 only if it succeeded.
  /// `build` makes the Program; called for start and restart only: by `start` in the process that
  /// becomes the master, by `restart` before that process is created. A std::exception from it is
  /// printed as one line, with status 1.
  int execute(const std::function<Program()>& build);
  /// Both.
  int run(int argc, char** argv, const std::function<Program()>& build);

  /// The content of a file of settings. In a process that a reload has started, it is the content
  /// at the start of the program, whatever the file has now. Call it from build(). Throws
  /// std::runtime_error if it cannot be read.
  std::string fileAtStart(const std::string& path);

  /// The instance's directory, for its sockets and files. Valid after parse(); it exists when
  /// build() runs. If root owns it, other users may enter it, but not list it.
  [[nodiscard]] std::string instanceDirectory() const;

 private:
  [[nodiscard]] int failed(const std::exception& problem) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The option's value is the path of a file. It is made absolute, so that a `restart` in another
/// directory uses the same file.
CLI::Option* takesFile(CLI::Option* option);

}  // namespace stormo::process
