#include "cli/print_command.h"

#include <cstdio>
#include <exception>
#include <string>

#include "cli/completions.h"
#include "cli/man_page.h"
#include "cli/parse_arguments.h"
#include "config/sample_file.h"
#include "sys/standard_streams.h"

int runPrint(int argc, char** argv, std::vector<stormo::cli::CommandText> others) {
  using namespace stormo;
  CLI::App app("Print a sample configuration file, the manual page, or the completion of a shell",
               "stormo print");
  std::string what;
  app.add_option("text", what, "config, man, bash-completion or zsh-completion")
      ->required()
      ->check(CLI::IsMember({"config", "man", "bash-completion", "zsh-completion"}));
  try {
    openStandardStreams();
    if (const auto status = parseArguments(app, argc, argv)) return *status;
    std::vector<cli::CommandText> commands = std::move(others);
    commands.push_back(cli::describe(app).front());
    if (what == "config") printOut(config::sampleFile());
    if (what == "man") printOut(cli::manPage(commands));
    if (what == "bash-completion") printOut(cli::bashCompletion(commands));
    if (what == "zsh-completion") printOut(cli::zshCompletion(commands));
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "stormo print: %s\n", failed.what());
    return 1;
  }
}
