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
  /// `programName` stands in every message and names the instance unless --instance does (a space
  /// becomes '-'): one runs at a time in one runtime directory. `description` is the first line of
  /// --help. `version` is what --version prints; by default Stormo's, behind the program's name.
  CommandLine(std::string programName, std::string description, std::string version = {});
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  /// For programs with options and commands of their own. A command's callback runs while parsing;
  /// what it throws (std::exception) is printed as one line, status 1; CLI::RuntimeError(n) means
  /// status n.
  CLI::App& app();
  /// Options of both `start` and `restart`. `restart` reuses those of the last start that it is not
  /// given; for that it may parse twice. Options that name a file go through takesFile().
  void addStartOptions(const std::function<void(CLI::App&)>& add);

  /// Parses the words after the program's name. An exit status if there is nothing more to do: 0
  /// after --help and --version, 2 if the command line was wrong.
  std::optional<int> parse(const std::vector<std::string>& words);
  /// After parse(): executes the command, and returns the exit status: 0 only if it succeeded.
  /// `build` makes the Program; called for start and restart only: by `start` in the process that
  /// becomes the master, by `restart` before that process is created. What it throws
  /// (std::exception) is printed as one line, status 1.
  int execute(const std::function<Program()>& build);
  /// Both.
  int run(int argc, char** argv, const std::function<Program()>& build);

  /// The instance's own folder, for sockets and files that belong to it. Valid once parsed; exists
  /// inside build(). Other users may pass through it, not list it, when root owns it.
  [[nodiscard]] std::string instanceDirectory() const;

 private:
  [[nodiscard]] int failed(const std::exception& problem) const;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The option's value is a file's path, which is made absolute: it means the same file later, to a
/// `restart` from another directory.
CLI::Option* takesFile(CLI::Option* option);

}  // namespace stormo::process
