#include "cli/api_key_command.h"

#include <fmt/format.h>
#include <stormo/api.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "cli/parse_arguments.h"
#include "config/api_key_settings.h"
#include "sys/standard_streams.h"

namespace {

using namespace stormo;

std::string listOf(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "\"" : ", \"") + word + '"';
  return list;
}

}  // namespace

int runApiKey(int argc, char** argv) {
  CLI::App app("Make a key of the HTTP API", "stormo api-key");
  ApiKey key;
  app.add_option("name", key.name, "Name of the key, for example of the program that has it")
      ->required();
  app.add_option("-r,--right", key.rights,
                 "What it may do: publish, control or read (default: all); repeatable")
      ->type_name("");
  bool isQuiet = false;
  app.add_flag("-q,--quiet", isQuiet,
               "Print only the key, and its word for --api-key, one to a line");
  try {
    openStandardStreams();
    if (const auto status = parseArguments(app, argc, argv)) return *status;
    if (key.rights.empty()) key.rights = {"publish", "control", "read"};
    const std::string secret = makeApiKey();
    key.hash = hashOfApiKey(secret);
    if (const std::string wrong = complaintOfApiKey(key); !wrong.empty()) {
      throw std::invalid_argument(wrong);
    }
    if (isQuiet) {
      printOut(secret + '\n' + config::wordOf({key.name, key.rights, key.hash}) + '\n');
      return 0;
    }
    printOut(fmt::format(
        "The key, for the program that uses the API. It is shown only here:\n\n    {}\n\n"
        "For the server's configuration file, then 'stormo restart':\n\n"
        "[[api.keys]]\nname = \"{}\"\nrights = [{}]\nhash = \"{}\"\n",
        secret, key.name, listOf(key.rights), key.hash));
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "stormo api-key: %s\n", wrong.what());
    return 2;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "stormo api-key: %s\n", failed.what());
    return 1;
  }
}
