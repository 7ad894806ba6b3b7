#include "process/command_line.h"

#include <fmt/format.h>
#include <stormo/version.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "process/commands.h"
#include "process/nearest_word.h"

namespace stormo::process {
namespace {

constexpr int kWrongUse = 2;

std::string oneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

/// "stormo channel" is a program's name too, but it shall be one word in a path.
std::string usualInstance(std::string programName) {
  std::replace(programName.begin(), programName.end(), ' ', '-');
  return programName;
}

}  // namespace

struct CommandLine::Impl {
  Impl(std::string programName, std::string description)
      : name(std::move(programName)), app(std::move(description), name) {
    app.set_version_flag("--version", name + " " STORMO_VERSION);
    app.require_subcommand(0, 1);
    app.add_option("--instance", instanceName, "Which instance is meant")->capture_default_str();
    app.add_option("--runtime-dir", runtimeDir,
                   "Where instances keep their lock, control socket and log (default: "
                   "$STORMO_RUNTIME_DIR, /run/stormo, $XDG_RUNTIME_DIR/stormo or /tmp/stormo-UID)");

    start = command("start", "Start, in the foreground or as a daemon");
    restart = command("restart", "Stop if it runs, then start");
    for (CLI::App* each : {start, restart}) {
      each->add_flag("-d,--daemon", asked.daemon, "Run in the background");
      each->add_option("--log", asked.logFile, "Append the log to this file");
      each->footer(
          "Signals to the master: SIGINT, SIGTERM stop; SIGQUIT stops gracefully; SIGUSR1 "
          "reloads;\n"
          "SIGHUP reloads, but stops a program that runs in a terminal's foreground.");
    }
    stop = command("stop", "Stop; returns when all has ended");
    reload = command("reload", "Replace the workers, one after the other");
    for (CLI::App* each : {stop, restart, reload}) {
      auto* graceful = each->add_flag("-g,--graceful", asked.graceful, "Let the clients finish");
      auto* timeout = each->add_option("--timeout", timeoutSeconds)->check(CLI::Range(0.001, 1e6));
      if (each == reload) {
        timeout->description("Seconds for each worker (default: 10; with -g no limit)");
      } else {
        timeout->description("Seconds for -g (default: no limit)")->needs(graceful);
      }
    }
    status = command("status", "Show the processes and what they count");
    status->add_flag("-d,--live", live, "Again every second, until Ctrl-C");
    connections = command("connections", "Show the connections of all processes");
    for (CLI::App* each : {status, connections}) {
      each->add_flag("--json", json, "As JSON, for programs");
    }
  }

  CLI::App* command(const char* word, const char* help) {
    CLI::App* made = app.add_subcommand(word, help);
    made->fallthrough();
    return made;
  }

  [[nodiscard]] Instance instance() const { return {runtimeDirectory(runtimeDir), instanceName}; }

  /// Exit status if there is nothing more to do.
  std::optional<int> parse(int argc, char** argv) {
    try {
      app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
      return refuse(unexpected());
    } catch (const CLI::ParseError& problem) {
      if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
      if (const auto* own = dynamic_cast<const CLI::RuntimeError*>(&problem)) {
        return own->get_exit_code();
      }
      return refuse(oneLine(problem.what()));
    }
    if (timeoutSeconds) {
      const std::chrono::duration<double> seconds(*timeoutSeconds);
      asked.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(seconds);
    }
    if (app.get_subcommands().empty()) {
      std::fputs(app.help().c_str(), stderr);
      return kWrongUse;
    }
    return std::nullopt;
  }

  [[nodiscard]] int refuse(const std::string& why) const {
    std::fprintf(stderr, "%s: %s (see '%s --help')\n", name.c_str(), why.c_str(), name.c_str());
    return kWrongUse;
  }

  /// About the first word that the parser knows no place for.
  std::string unexpected() {
    const std::string word = app.remaining(true).front();
    const bool isOption = word.starts_with('-');
    std::vector<std::string> known;
    for (const CLI::App* each : app.get_subcommands({})) {
      if (!isOption && each->get_name() == word)
        return "one command at a time, '" + word + "' is one more";
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
    const Commands commands(name, instance());
    if (chosen == start) return commands.start(asked, build);
    if (chosen == restart) return commands.restart(asked, build);
    if (chosen == stop) return commands.stop(asked);
    if (chosen == reload) return commands.reload(asked);
    if (chosen == status) return live ? commands.liveStatus(json) : commands.status(json);
    if (chosen == connections) return commands.connections(json);
    return 0;  // one of the program's own: its callback has run
  }

  const std::string name;
  CLI::App app;
  CLI::App* start;
  CLI::App* stop;
  CLI::App* restart;
  CLI::App* reload;
  CLI::App* status;
  CLI::App* connections;

  std::string instanceName = usualInstance(name);
  std::string runtimeDir;
  std::optional<double> timeoutSeconds;
  bool live = false;
  bool json = false;
  Commands::Options asked;
};

CommandLine::CommandLine(std::string programName, std::string description)
    : impl_(std::make_unique<Impl>(std::move(programName), std::move(description))) {}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::app() { return impl_->app; }

void CommandLine::addStartOptions(const std::function<void(CLI::App&)>& add) {
  add(*impl_->start);
  add(*impl_->restart);
}

int CommandLine::run(int argc, char** argv, const std::function<Program()>& build) {
  try {
    if (const auto status = impl_->parse(argc, argv)) return *status;
    return impl_->execute(build);
  } catch (const std::exception& problem) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: %s\n", impl_->name.c_str(), oneLine(problem.what()).c_str());
    return 1;
  }
}

std::string CommandLine::instanceDirectory() const { return impl_->instance().directory(); }

}  // namespace stormo::process
