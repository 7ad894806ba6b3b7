#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stormo {

class Worker;
namespace process {
class CommandLine;
}  // namespace process

/// What `--version` and `--help` state about a program.
struct ProgramInfo {
  std::string version = {};      ///< "1.2.0". Empty: `--version` states only Stormo's version.
  std::string description = {};  ///< The first line of `--help`.
};

/// The command line of a program that has options of its own. They belong to `start` and `restart`,
/// are listed in `start --help` with their defaults, and `restart` reuses those of the last start
/// that it is not given.
///
///     int main(int argc, char** argv) {
///       stormo::ProgramOptions options(argc, argv, {.version = "1.2.0"});
///       std::uint16_t port = 4000;
///       options.add("--port", port, "Port that clients connect to");
///       if (!options.parse()) return options.exitStatus();
///       stormo::Worker worker("text://0.0.0.0:" + std::to_string(port));
///       return stormo::Worker::runAll(options);
///     }
class ProgramOptions {
 public:
  /// `argv[0]` names the program: in messages, and as the instance unless `--instance` is given.
  ProgramOptions(int argc, char** argv, ProgramInfo info = {});
  ~ProgramOptions();
  ProgramOptions(const ProgramOptions&) = delete;
  ProgramOptions& operator=(const ProgramOptions&) = delete;

  /// Adds an option `name`, with two dashes. `value` holds its default, gets what the command line
  /// gives, and must live until Worker::runAll() has returned. A bool is a flag: `--name`, or
  /// `--name=false`. A vector gets each word of `--name WORD…` and of further `--name`.
  /// Call it before parse(). Throws std::invalid_argument if `name` is malformed or already in use.
  void add(const std::string& name, bool& value, const std::string& help);
  void add(const std::string& name, int& value, const std::string& help);
  void add(const std::string& name, std::int64_t& value, const std::string& help);
  void add(const std::string& name, std::uint16_t& value, const std::string& help);
  void add(const std::string& name, std::size_t& value, const std::string& help);
  void add(const std::string& name, double& value, const std::string& help);
  void add(const std::string& name, std::string& value, const std::string& help);
  void add(const std::string& name, std::vector<std::string>& value, const std::string& help);
  /// The value is the path of a file. A relative path is made absolute, because a daemon leaves its
  /// working directory and a `restart` may be called in another one.
  void addFile(const std::string& name, std::string& value, const std::string& help);

  /// Parses the command line and sets the values. False if the program has nothing more to do, and
  /// main returns exitStatus(): `--help` or `--version` was printed, or what is wrong. runAll()
  /// calls it if main has not; so only a program that needs the values before has to.
  [[nodiscard]] bool parse();
  [[nodiscard]] int exitStatus() const { return exitStatus_; }

 private:
  friend class Worker;
  template <typename Value>
  void addTyped(const std::string& name, Value& value, const std::string& help);

  std::vector<std::string> words_;
  std::unique_ptr<process::CommandLine> commandLine_;
  bool isParsed_ = false;
  int exitStatus_ = 0;
};

}  // namespace stormo
