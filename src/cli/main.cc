// The program `stormo`: the ready server, a Channel alone, a load generator, a reader of the
// Channel's log, a check of configuration files, and the texts that are made of all of these.
#include <stormo/version.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/api_key_command.h"
#include "cli/bench_command.h"
#include "cli/client_commands.h"
#include "cli/dev_cert_command.h"
#include "cli/given_settings.h"
#include "cli/log_command.h"
#include "cli/message_commands.h"
#include "cli/parse_arguments.h"
#include "cli/print_command.h"
#include "cli/server_program.h"
#include "cli/token_command.h"
#include "config/settings.h"
#include "process/command_line.h"
#include "process/start_check.h"
#include "sys/standard_streams.h"
#include "worker/declaration.h"

namespace {

using namespace stormo;

process::Program declaredProgram(const std::string& instanceDirectory,
                                 const config::Settings& settings) {
  return {.roles = declaredRoles(instanceDirectory),
          .logLevel = log::levelNamed(settings.logLevel).value(),
          .logFormat = log::formatNamed(settings.logFormat).value()};
}

/// `start` only warns of an expired certificate: a server that does not start helps nobody.
void checkDates(const process::Program& program) {
  for (const process::Role& role : program.roles) {
    if (role.credentials == nullptr) continue;
    const std::string wrong = role.credentials->complaint(std::chrono::hours(0));
    if (!wrong.empty()) throw std::invalid_argument(wrong);
  }
}

/// Refuses what `start` refuses, with the same code.
void checkConfig(const std::string& path, const cli::GivenSettings& given,
                 const std::string& instanceDirectory) {
  config::Settings settings;
  std::vector<std::string> complaints = given.readFile(path, settings);
  if (complaints.empty()) {
    try {
      const cli::ServerProgram declared(settings);
      const process::Program program = declaredProgram(instanceDirectory, settings);
      process::checkStart(program, instanceDirectory);
      checkDates(program);
    } catch (const std::exception& refused) {
      complaints.push_back(config::placeInFile(path, refused.what()) + ": " + refused.what());
    }
  }
  for (const std::string& complaint : complaints) std::fprintf(stderr, "%s\n", complaint.c_str());
  if (!complaints.empty()) throw CLI::RuntimeError(1);
  printOut(path + ": ok\n");
}

/// Warns about the environment of a command that uses it.
void warnBeforeStart(process::CommandLine& commandLine, const cli::GivenSettings& given,
                     const std::string& programName) {
  const bool starts =
      commandLine.app().got_subcommand("start") || commandLine.app().got_subcommand("restart");
  if (starts) given.warn(programName);
}

/// The ready server's command line.
struct ServerCommand {
  ServerCommand() {
    commandLine.addStartOptions([this](CLI::App& app) {
      given.addFile(app);
      given.addFlags(app, false);
    });
    CLI::App* check = commandLine.app().add_subcommand(
        "check-config", "Check a configuration file, and report each mistake with its line");
    check->fallthrough();
    check->add_option("file,--config", path, "The file");
    check->callback([this] {
      if (path.empty()) throw CLI::RequiredError("a file (stormo check-config FILE)");
      given.warn("stormo");
      checkConfig(path, given, commandLine.instanceDirectory());
    });
    commandLine.app().footer(
        "For a running server see also the commands pub, sub, clients, groups, users and kick "
        "(stormo pub --help).\n"
        "For a Channel without workers see 'stormo channel --help', for a load test 'stormo bench "
        "--help',\nfor what the Channel's log holds 'stormo log --help', for a certificate to try "
        "wss:// 'stormo "
        "dev-cert --help',\nfor a client's token 'stormo token --help', for a key of the HTTP API "
        "'stormo api-key --help',\nfor a sample configuration "
        "file 'stormo print config'.");
  }

  process::CommandLine commandLine{"stormo", "Stormo, real-time group messaging",
                                   "stormo " STORMO_VERSION};
  cli::GivenSettings given;
  std::string path;
};

/// The command line of a Channel alone.
struct ChannelCommand {
  ChannelCommand() {
    commandLine.addStartOptions([this](CLI::App& app) {
      app.add_option(
             "--listen", settings.listen,
             "Address that workers connect to: frame://127.0.0.1:2206, frames://… with TLS, "
             "or unix:///path")
          ->capture_default_str();
      process::takesFile(
          app.add_option("--secret-file", settings.secretFile,
                         "File with the secret that links must know, required if other machines "
                         "can connect; a second line is accepted, too (default: "
                         "$STORMO_CHANNEL_SECRET)"));
      app.add_flag("--open", settings.open, "Let other machines connect without a secret");
      given.addFlags(app, true);
    });
  }

  process::CommandLine commandLine{
      "stormo channel", "Stormo's Channel without workers, for workers of other programs",
      "stormo channel " STORMO_VERSION};
  cli::ChannelSettings settings;
  cli::GivenSettings given;
};

int runServer(const std::vector<std::string>& words) {
  ServerCommand command;
  process::CommandLine& commandLine = command.commandLine;
  if (const auto status = commandLine.parse(words)) return *status;
  warnBeforeStart(commandLine, command.given, "stormo");
  std::unique_ptr<cli::ServerProgram> program;
  return commandLine.execute([&] {
    const config::Settings settings = command.given.resolve(commandLine);
    const std::string directory = commandLine.instanceDirectory();
    program = std::make_unique<cli::ServerProgram>(settings, directory);
    process::Program declared = declaredProgram(directory, settings);
    for (process::Role& role : declared.roles) {
      if (role.kind == process::RoleKind::Worker)
        role.stateDirectory = program->keyDirectory(directory);
    }
    return declared;
  });
}

int runChannel(const std::vector<std::string>& words) {
  ChannelCommand command;
  process::CommandLine& commandLine = command.commandLine;
  if (const auto status = commandLine.parse(words)) return *status;
  warnBeforeStart(commandLine, command.given, "stormo channel");
  std::unique_ptr<cli::ChannelProgram> program;
  return commandLine.execute([&] {
    command.settings.common = command.given.resolve(commandLine);
    program = std::make_unique<cli::ChannelProgram>(command.settings);
    return declaredProgram(commandLine.instanceDirectory(), command.settings.common);
  });
}

/// All commands but `stormo print`.
std::vector<cli::CommandText> describedCommands() {
  std::vector<cli::CommandText> all = cli::describe(ServerCommand().commandLine.app());
  const auto add = [&all](const std::vector<cli::CommandText>& more) {
    all.insert(all.end(), more.begin(), more.end());
  };
  add(cli::describe(ChannelCommand().commandLine.app()));
  for (const auto command : {runBench, runLog, runDevCert, runToken, runApiKey, runPub, runSub,
                             runClients, runGroups, runUsers, runKick})
    add(describeCommand(command));
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (command == "channel") return runChannel({words.begin() + 1, words.end()});
  if (command == "bench") return runBench(argc - 1, argv + 1);
  if (command == "log") return runLog(argc - 1, argv + 1);
  if (command == "dev-cert") return runDevCert(argc - 1, argv + 1);
  if (command == "api-key") return runApiKey(argc - 1, argv + 1);
  if (command == "token") return runToken(argc - 1, argv + 1);
  if (command == "pub") return runPub(argc - 1, argv + 1);
  if (command == "sub") return runSub(argc - 1, argv + 1);
  if (command == "clients") return runClients(argc - 1, argv + 1);
  if (command == "groups") return runGroups(argc - 1, argv + 1);
  if (command == "users") return runUsers(argc - 1, argv + 1);
  if (command == "kick") return runKick(argc - 1, argv + 1);
  if (command == "print") return runPrint(argc - 1, argv + 1, describedCommands());
  return runServer(words);
}
