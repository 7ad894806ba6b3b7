#include "process/command_line.h"

#include <fmt/format.h>
#include <stormo/version.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <stdexcept>

#include "base/nearest_word.h"
#include "process/commands.h"
#include "sys/error_text.h"
#include "sys/log.h"
#include "sys/standard_streams.h"

namespace stormo::process {
namespace {

constexpr int kWrongUse = 2;

std::string oneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

const std::map<std::string, double> kSecondsOf = {{"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};

std::chrono::milliseconds fromSeconds(const std::optional<double>& seconds) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(seconds.value_or(0)));
}

/// The name of an instance is one word in a path; a program's name may be two: "stormo channel".
std::string defaultInstance(std::string programName) {
  std::replace(programName.begin(), programName.end(), ' ', '-');
  return programName;
}

}  // namespace

struct CommandLine::Impl {
  Impl(std::string programName, std::string description, const std::string& version)
      : name(std::move(programName)), app(std::move(description), name) {
    app.set_version_flag("--version",
                         !version.empty() ? version : name + " (Stormo " STORMO_VERSION ")");
    app.require_subcommand(0, 1);
    instanceOption =
        app.add_option("--instance", instanceName, "Name of the instance")->capture_default_str();
    runtimeDirOption =
        app.add_option("--runtime-dir", runtimeDir,
                       "Directory of the instances' locks, control sockets and logs (default: "
                       "$STORMO_RUNTIME_DIR, else " +
                           defaultRuntimeDirectory() + ")");

    start = command("start", "Start, in the foreground or as a daemon");
    restart =
        command("restart",
                "Check the configuration, stop a running instance, then start with the options of "
                "the last start and those given here");
    for (CLI::App* each : {start, restart}) {
      each->add_flag("-d,--daemon", asked.daemon, "Run in the background");
      takesFile(
          each->add_option("--log", asked.logFile,
                           "Append the log to this file (default: stderr; for a daemon: the "
                           "file log in the instance's directory). A daemon's stdout and stderr "
                           "go there too"));
      takesFile(each->add_option("--pid-file", asked.pidFile,
                                 "Keep the master's pid in this file while it runs"));
      each->add_option("--log-level", logLevel, "Lowest level that is logged (default: info)")
          ->check(CLI::IsMember(log::kLevelNames));
      each->add_option("--log-format", logFormat, "Format of a line (default: text)")
          ->check(CLI::IsMember(log::kFormatNames));
      each->footer(
          "Signals to the master: SIGINT and SIGTERM stop; SIGQUIT stops gracefully; SIGUSR1 "
          "reloads;\n"
          "SIGUSR2 reopens the log; SIGHUP reads the TLS certificates again, but stops a program "
          "in "
          "the\nforeground of a terminal.");
    }
    stop = command("stop", "Stop, and return when all processes have ended");
    reload = command(
        "reload",
        "Replace the worker processes: new ones take over, then the old ones close their clients");
    for (CLI::App* each : {stop, restart, reload}) {
      auto* graceful = each->add_flag("-g,--graceful", asked.graceful,
                                      "Wait until the clients have disconnected");
      auto* timeout = each->add_option("--timeout", timeoutSeconds)->check(CLI::Range(0.001, 1e6));
      each->add_option("--over", overSeconds,
                       "Close the clients evenly over this time: 30s, 5m, 500ms")
          ->transform(CLI::AsNumberWithUnit(kSecondsOf, CLI::AsNumberWithUnit::CASE_SENSITIVE))
          ->check(CLI::Range(0.001, 86400.0))
          ->type_name("TIME")
          ->excludes(timeout);
      if (each == reload) {
        timeout->description("Seconds for each worker (default: 10; with -g 60 for all)");
      } else {
        timeout->description("Seconds for -g (default: 60)")->needs(graceful);
      }
    }
    reloadTls = command("reload-tls",
                        "Read the TLS certificates and keys again, without closing a connection");
    reopenLog = command("reopen-log", "Open the log file again after it was renamed");
    status = command("status", "Show the processes and their counters");
    status->add_flag("-d,--live", live, "Repeat every second until Ctrl-C");
    connections = command("connections", "Show the connections of all processes");
    nodes = command("nodes", "Show the nodes of the cluster, as this machine knows them");
    for (CLI::App* each : {status, connections, nodes}) {
      each->add_flag("--json", json, "Print JSON");
    }
  }

  CLI::App* command(const char* word, const char* help) {
    CLI::App* made = app.add_subcommand(word, help);
    made->fallthrough();
    return made;
  }

  [[nodiscard]] Instance instance() const { return {runtimeDirectory(runtimeDir), instanceName}; }

  /// The program's name with the options that name this instance, for hints.
  [[nodiscard]] std::string commandLine() const {
    std::string line = name;
    if (instanceOption->count() > 0) line += " --instance " + shellWord(instanceName);
    if (runtimeDirOption->count() > 0) line += " --runtime-dir " + shellWord(runtimeDir);
    return line;
  }

  /// Options about this one command, not about the program, are not recorded.
  static bool isRecorded(const CLI::Option& option) {
    const std::string word = option.get_name();
    return word != "--daemon" && word != "--graceful" && word != "--timeout" && word != "--over";
  }

  static std::vector<std::string> optionsGiven(const CLI::App& command) {
    std::vector<std::string> words;
    for (const CLI::Option* option : command.get_options()) {
      if (option->count() == 0 || !isRecorded(*option)) continue;
      for (const std::string& result : option->results()) {
        words.push_back(option->get_name() + '=' + result);
      }
    }
    return words;
  }

  /// The options of the last start, without those that this command is given.
  std::vector<std::string> optionsReused(const StartRecord& last) const {
    std::vector<std::string> words;
    for (const std::string& word : last.options) {
      const CLI::Option* option = restart->get_option_no_throw(word.substr(0, word.find('=')));
      if (option == nullptr || option->count() == 0) words.push_back(word);
    }
    return words;
  }

  /// Parses again, with the options of the last start added, and changes to its directory.
  std::optional<int> reuseLastStart(std::vector<std::string> words) {
    const auto last = StartRecord::load(instance().startRecordPath());
    if (!last) return std::nullopt;
    const std::vector<std::string> reused = optionsReused(*last);
    words.insert(words.end(), reused.begin(), reused.end());
    if (const auto exitStatus = parse(words)) return exitStatus;
    if (!reused.empty() && !image) {
      std::string line;
      for (const std::string& word : reused) line += ' ' + shellWord(word);
      std::printf("Reusing the options of the last start:%s\n", line.c_str());
    }
    std::error_code problem;
    std::filesystem::current_path(last->directory, problem);
    if (problem) {
      throw std::runtime_error(
          fmt::format("cannot enter {}, where the last start was made: {} (see {})",
                      last->directory, problem.message(), instance().startRecordPath()));
    }
    return std::nullopt;
  }

  /// Returns an exit status if there is nothing more to do.
  std::optional<int> parse(std::vector<std::string> words) {
    try {
      std::reverse(words.begin(), words.end());
      app.parse(std::move(words));
    } catch (const CLI::ExtrasError&) {
      return refuse(unexpected());
    } catch (const CLI::ParseError& problem) {
      if (problem.get_exit_code() == 0) {  // --help, --version
        std::ostringstream text;
        app.exit(problem, text, text);
        printOut(text.str());
        return 0;
      }
      if (const auto* own = dynamic_cast<const CLI::RuntimeError*>(&problem)) {
        return own->get_exit_code();
      }
      return refuse(oneLine(problem.what()));
    }
    asked.logLevel = log::levelNamed(logLevel);
    asked.logFormat = log::formatNamed(logFormat);
    asked.timeout = fromSeconds(timeoutSeconds);
    asked.over = fromSeconds(overSeconds);
    if (app.get_subcommands().empty()) {
      std::fputs(app.help().c_str(), stderr);
      return kWrongUse;
    }
    return std::nullopt;
  }

  [[nodiscard]] int refuse(const std::string& why) const {
    if (image) image->reportFailure(why);
    std::fprintf(stderr, "%s: %s (see '%s --help')\n", name.c_str(), why.c_str(), name.c_str());
    return kWrongUse;
  }

  /// An error text about the first word that the parser did not accept.
  std::string unexpected() {
    const std::string word = app.remaining(true).front();
    const bool isOption = word.starts_with('-');
    std::vector<std::string> known;
    for (const CLI::App* each : app.get_subcommands({})) {
      if (!isOption && each->get_name() == word) return "give one command, not also '" + word + "'";
      if (!isOption) known.push_back(each->get_name());
    }
    std::vector<const CLI::App*> asking = {&app};
    for (const CLI::App* each : app.get_subcommands()) asking.push_back(each);
    for (const CLI::App* each : asking) {
      if (!isOption) break;
      for (const CLI::Option* option : each->get_options()) {
        for (const auto& longName : option->get_lnames()) known.push_back("--" + longName);
      }
    }
    const auto nearest = nearestWord(word, known);
    return fmt::format("unknown {} '{}'{}", isOption ? "option" : "command", oneLine(word),
                       nearest ? fmt::format(", did you mean '{}'?", *nearest) : "");
  }

  int execute(const std::function<Program()>& build) {
    const CLI::App* chosen = app.get_subcommands().front();
    const Commands commands(name, commandLine(), instance());
    if (chosen == start || chosen == restart) {
      asked.record = {.options = optionsGiven(*chosen),
                      .directory = std::filesystem::current_path()};
    }
    asked.program = ownProgram;
    asked.files = &files;
    if (image && (chosen == start || chosen == restart)) commands.serve(*image, asked, build);
    if (chosen == start) return commands.start(asked, build);
    if (chosen == restart) return commands.restart(asked, build);
    if (chosen == stop) return commands.stop(asked);
    if (chosen == reload) return commands.reload(asked);
    if (chosen == reloadTls) return commands.reloadTls();
    if (chosen == reopenLog) return commands.reopenLog();
    if (chosen == status) return live ? commands.liveStatus(json) : commands.status(json);
    if (chosen == connections) return commands.connections(json);
    if (chosen == nodes) return commands.nodes(json);
    return 0;  // a command of the program's own: its callback has run
  }

  const std::string name;
  CLI::App app;
  CLI::Option* instanceOption;
  CLI::Option* runtimeDirOption;
  CLI::App* start;
  CLI::App* stop;
  CLI::App* restart;
  CLI::App* reload;
  CLI::App* reloadTls;
  CLI::App* reopenLog;
  CLI::App* status;
  CLI::App* connections;
  CLI::App* nodes;

  std::string instanceName = defaultInstance(name);
  std::string runtimeDir;
  std::string logLevel;
  std::string logFormat;
  std::optional<double> timeoutSeconds;
  std::optional<double> overSeconds;
  bool live = false;
  bool json = false;
  Commands::Options asked;

  const OwnProgram ownProgram = OwnProgram::ofThisProcess();
  /// If a reload has started this process.
  const std::optional<ImageLink> image = ImageLink::ofThisProcess();
  std::map<std::string, std::string> files =
      image ? image->files() : std::map<std::string, std::string>();
};

CommandLine::CommandLine(std::string programName, std::string description, std::string version)
    : impl_(std::make_unique<Impl>(std::move(programName), std::move(description), version)) {}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::app() { return impl_->app; }

void CommandLine::addStartOptions(const std::function<void(CLI::App&)>& add) {
  add(*impl_->start);
  add(*impl_->restart);
}

int CommandLine::failed(const std::exception& problem) const {
  std::fflush(stdout);
  if (impl_->image) impl_->image->reportFailure(oneLine(problem.what()));
  std::fprintf(stderr, "%s: %s\n", impl_->name.c_str(), oneLine(problem.what()).c_str());
  return 1;
}

std::optional<int> CommandLine::parse(const std::vector<std::string>& words) {
  try {
    openStandardStreams();
    if (const auto status = impl_->parse(words)) return status;
    return impl_->restart->parsed() ? impl_->reuseLastStart(words) : std::nullopt;
  } catch (const std::exception& problem) {
    return failed(problem);
  }
}

int CommandLine::execute(const std::function<Program()>& build) {
  try {
    return impl_->execute(build);
  } catch (const std::exception& problem) {
    return failed(problem);
  }
}

int CommandLine::run(int argc, char** argv, const std::function<Program()>& build) {
  const auto status = parse({argv + std::min(argc, 1), argv + argc});
  return status ? *status : execute(build);
}

std::string CommandLine::fileAtStart(const std::string& path) {
  const auto known = impl_->files.find(path);
  if (known != impl_->files.end()) return known->second;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) throw std::runtime_error(fmt::format("cannot read {}: {}", path, errorText(errno)));
  return impl_->files.emplace(path, text.str()).first->second;
}

std::string CommandLine::instanceDirectory() const { return impl_->instance().directory(); }

CLI::Option* takesFile(CLI::Option* option) {
  return option->transform([](const std::string& path) {
    return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
  });
}

}  // namespace stormo::process
