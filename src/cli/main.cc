// The program `stormo`: the ready server, a Channel alone, a load generator, a reader of the
// Channel's log, and a check of configuration files.
#include <stormo/version.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/bench_command.h"
#include "cli/dev_cert_command.h"
#include "cli/log_command.h"
#include "cli/server_program.h"
#include "config/settings.h"
#include "process/command_line.h"
#include "process/start_check.h"
#include "sys/standard_streams.h"
#include "worker/declaration.h"

namespace {

using namespace stormo;

/// The settings of the command line. They are applied after the file, which they override.
struct GivenSettings {
  std::string file;
  std::vector<std::pair<const config::SettingSpec*, std::vector<std::string>>> flags;

  void addFile(CLI::App& app) {
    process::takesFile(
        app.add_option("--config", file, "TOML file with settings; flags override it"));
  }
  void addFlags(CLI::App& app, bool onlyOfChannel) {
    for (const config::SettingSpec& spec : config::settingSpecs()) {
      if (spec.isOfLog() || (onlyOfChannel && !spec.isOfChannel())) continue;
      CLI::Option* option = app.add_option_function<std::vector<std::string>>(
          spec.flag,
          [this, &spec](const std::vector<std::string>& words) {
            flags.emplace_back(&spec, words);
          },
          spec.help);
      option->type_name("")->group("Settings");
      if (spec.isFile()) process::takesFile(option);
    }
  }

  [[nodiscard]] config::Settings resolve(process::CommandLine& commandLine) const {
    config::Settings settings;
    if (!file.empty()) {
      const std::vector<std::string> complaints =
          config::applyText(file, commandLine.fileAtStart(file), settings);
      if (!complaints.empty()) {
        throw std::runtime_error(
            complaints.front() +
            (complaints.size() == 1 ? "" : " (and more: see 'stormo check-config')"));
      }
    }
    for (const auto& [spec, words] : flags) config::applyFlag(*spec, words, settings);
    return settings;
  }
};

process::Program declaredProgram(const std::string& instanceDirectory,
                                 const config::Settings& settings) {
  return {.roles = declaredRoles(instanceDirectory),
          .logLevel = log::levelNamed(settings.logLevel).value(),
          .logFormat = log::formatNamed(settings.logFormat).value()};
}

/// Refuses what `start` refuses, with the same code.
void checkConfig(const std::string& path, const std::string& instanceDirectory) {
  config::Settings settings;
  std::vector<std::string> complaints = config::applyFile(path, settings);
  if (complaints.empty()) {
    try {
      const cli::ServerProgram declared(settings);
      process::checkStart(declaredProgram(instanceDirectory, settings), instanceDirectory);
    } catch (const std::exception& refused) {
      complaints.push_back(config::placeInFile(path, refused.what()) + ": " + refused.what());
    }
  }
  for (const std::string& complaint : complaints) std::fprintf(stderr, "%s\n", complaint.c_str());
  if (!complaints.empty()) throw CLI::RuntimeError(1);
  printOut(path + ": ok\n");
}

int runServer(int argc, char** argv) {
  process::CommandLine commandLine("stormo", "Stormo, real-time group messaging",
                                   "stormo " STORMO_VERSION);
  GivenSettings given;
  commandLine.addStartOptions([&](CLI::App& app) {
    given.addFile(app);
    given.addFlags(app, false);
  });
  std::string path;
  CLI::App* check = commandLine.app().add_subcommand(
      "check-config", "Check a configuration file, and report each mistake with its line");
  check->fallthrough();
  check->add_option("file,--config", path, "The file");
  check->callback([&] {
    if (path.empty()) throw CLI::RequiredError("a file (stormo check-config FILE)");
    checkConfig(path, commandLine.instanceDirectory());
  });
  commandLine.app().footer(
      "For a Channel without workers see 'stormo channel --help', for a load test 'stormo bench "
      "--help',\nfor what the Channel's log holds 'stormo log --help', for a certificate to try "
      "wss:// 'stormo "
      "dev-cert --help'.");

  std::unique_ptr<cli::ServerProgram> program;
  return commandLine.run(argc, argv, [&] {
    const config::Settings settings = given.resolve(commandLine);
    program = std::make_unique<cli::ServerProgram>(settings);
    return declaredProgram(commandLine.instanceDirectory(), settings);
  });
}

int runChannel(int argc, char** argv) {
  process::CommandLine commandLine(
      "stormo channel", "Stormo's Channel without workers, for workers of other programs",
      "stormo channel " STORMO_VERSION);
  cli::ChannelSettings settings;
  GivenSettings given;
  commandLine.addStartOptions([&](CLI::App& app) {
    app.add_option("--listen", settings.listen,
                   "Address that workers connect to: frame://127.0.0.1:2206, or unix:///path")
        ->capture_default_str();
    process::takesFile(
        app.add_option("--secret-file", settings.secretFile,
                       "File with the secret that links must send; required if other machines can "
                       "connect"));
    app.add_flag("--open", settings.open, "Let other machines connect without a secret");
    given.addFlags(app, true);
  });
  std::unique_ptr<cli::ChannelProgram> program;
  return commandLine.run(argc, argv, [&] {
    settings.common = given.resolve(commandLine);
    program = std::make_unique<cli::ChannelProgram>(settings);
    return declaredProgram(commandLine.instanceDirectory(), settings.common);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "channel") return runChannel(argc - 1, argv + 1);
  if (command == "bench") return runBench(argc - 1, argv + 1);
  if (command == "log") return runLog(argc - 1, argv + 1);
  if (command == "dev-cert") return runDevCert(argc - 1, argv + 1);
  return runServer(argc, argv);
}
