#pragma once

#include <functional>
#include <memory>
#include <string>

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

  /// Parses, does what is asked, and gives the exit status: 0 only when it happened, 2 if the
  /// command line was wrong. `build` makes the Program; called for start and restart only, after
  /// parsing: by `start` in the process that becomes the master, by `restart` before that process
  /// is made. What it throws (std::exception) is printed as one line, status 1.
  int run(int argc, char** argv, const std::function<Program()>& build);

  /// The instance's own folder, for sockets and files that belong to it. Valid once parsed; exists
  /// inside build(). Other users may pass through it, not list it, when root owns it.
  [[nodiscard]] std::string instanceDirectory() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The option's value is a file's path, which is made absolute: it means the same file later, to a
/// `restart` from another directory.
CLI::Option* takesFile(CLI::Option* option);

}  // namespace stormo::process
