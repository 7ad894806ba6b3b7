#include "cli/token_command.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <stormo/access.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "access/rights.h"
#include "access/token_signer.h"
#include "access/token_verifier.h"
#include "cli/parse_arguments.h"
#include "cli/secrets.h"
#include "cli/token_access.h"
#include "process/command_line.h"
#include "server/token_keys.h"
#include "sys/standard_streams.h"

namespace {

using namespace stormo;
using Json = nlohmann::ordered_json;

struct Request {
  std::string user;
  std::vector<std::string> groups;
  std::vector<std::string> rights;
  std::string info;
  std::int64_t lifetime = 0;  // in seconds; 0: it does not expire
  std::string checked;        // the token to check, for check()
  config::Settings keys;
};

std::int64_t now() { return static_cast<std::int64_t>(std::time(nullptr)); }

/// {"groups":"chat.*","may":["join","send"]} of "chat.*=join,send".
Json rightIn(const std::string& word) {
  const std::size_t equals = word.rfind('=');
  Json right = {{"groups", word.substr(0, equals)}};
  if (equals == word.npos) return right;
  Json& may = right["may"] = Json::array();
  for (const std::string& name : CLI::detail::split(word.substr(equals + 1), ',')) {
    if (access::mayNamed(name) == 0) {
      throw std::invalid_argument(
          fmt::format("--right {}: '{}' is none of join, send, history and presence", word, name));
    }
    may.push_back(name);
  }
  return right;
}

access::TokenVerifier::Verdict verdictOf(const std::vector<TokenKey>& keys,
                                         const std::string& token) {
  return access::TokenVerifier(server::keySetOf(keys), {}).verify(token, now());
}

std::string problemText(const access::TokenVerifier::Verdict& verdict) {
  return fmt::format("{}{}{}", access::describe(verdict.problem), verdict.claim.empty() ? "" : ": ",
                     verdict.claim);
}

std::string textOf(const Json& claims) {
  try {
    return claims.dump();
  } catch (const Json::type_error&) {
    throw std::invalid_argument("names must be valid UTF-8");
  }
}

/// Throws std::invalid_argument for a token that no server would accept.
std::string make(const Request& request) {
  const cli::Secrets secrets =
      cli::readSecrets(request.keys.tokenSecretFile, cli::kTokenSecretVariable);
  if (secrets.current.empty()) {
    throw std::invalid_argument("a token needs a secret: --secret-file, or $STORMO_TOKEN_SECRET");
  }
  static_cast<void>(access::Key::secret(secrets.current));  // throws if it is too short
  if (request.lifetime < 0) {
    throw std::invalid_argument("--expires must not be negative (0: it never expires)");
  }
  Json claims = {{"sub", request.user}, {"iat", now()}};
  if (request.lifetime > 0) claims["exp"] = now() + request.lifetime;
  if (!request.info.empty()) {
    claims["info"] = Json::parse(request.info, nullptr, false);
    if (!claims["info"].is_object()) {
      throw std::invalid_argument("--info must be a JSON object: '{\"name\":\"Ada\"}'");
    }
  }
  if (!request.groups.empty()) claims["groups"] = request.groups;
  for (const std::string& word : request.rights) claims["rights"].push_back(rightIn(word));
  std::string token = access::signToken(textOf(claims), secrets.current);
  const auto verdict = verdictOf({{.secret = secrets.current}}, token);
  if (verdict.problem == access::TokenProblem::None) return token;
  throw std::invalid_argument("no server would accept that: " + problemText(verdict));
}

std::string timeText(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S %Z}", fmt::localtime(static_cast<std::time_t>(seconds)));
}

/// The exit status.
int check(const Request& request) {
  const AccessOptions access = cli::accessOf(request.keys);
  if (access.keys.empty()) {
    throw std::invalid_argument(
        "to check a token takes a key: --secret-file, --key-file or --key-set-file");
  }
  const auto verdict = verdictOf(access.keys, request.checked);
  if (verdict.problem != access::TokenProblem::None) {
    std::fprintf(stderr, "stormo token: %s\n", problemText(verdict).c_str());
    return 1;
  }
  const access::Token& token = verdict.token;
  std::string text = fmt::format("user     {}\n", token.user);
  if (!token.info.empty()) text += fmt::format("info     {}\n", token.info);
  if (!token.groups.empty()) text += fmt::format("groups   {}\n", fmt::join(token.groups, ", "));
  for (const std::string& right : token.rights.texts()) text += fmt::format("right    {}\n", right);
  text += token.expires ? fmt::format("expires  {}\n", timeText(*token.expires))
                        : std::string("expires  never\n");
  printOut(text);
  return 0;
}

}  // namespace

int runToken(int argc, char** argv) {
  CLI::App app("Make a token for a client of a server with [access], or check one", "stormo token");
  Request request;
  auto* user = app.add_option("-u,--user", request.user, "Name of the user");
  app.add_option("-g,--group", request.groups, "Group that the client joins at once; repeatable");
  app.add_option("-r,--right", request.rights,
                 "Groups of a pattern, and what the client may do in them: chat.*=join,send "
                 "(default: all of join, send, history, presence); repeatable");
  app.add_option("--info", request.info, "JSON object that the server knows of the client");
  app.add_option("-e,--expires", request.lifetime,
                 "Time until it expires: 90s, 15m, 12h or 30d (default: 1h; 0: never)")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, std::int64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}}))
      ->default_str("");
  request.lifetime = 3600;
  process::takesFile(app.add_option("--secret-file", request.keys.tokenSecretFile,
                                    "File with the secret (default: $STORMO_TOKEN_SECRET)"));
  auto* checked =
      app.add_option("--check", request.checked, "Token to check, instead of making one");
  process::takesFile(
      app.add_option("--key-file", request.keys.tokenKeyFiles, "PEM file with a public key")
          ->needs(checked));
  process::takesFile(app.add_option("--key-set-file", request.keys.tokenKeySetFile,
                                    "JSON file with public keys, as a JWK Set")
                         ->needs(checked));
  checked->excludes(user);
  try {
    openStandardStreams();
    if (const auto status = parseArguments(app, argc, argv)) return *status;
    if (checked->count() > 0) return check(request);
    if (request.user.empty()) throw std::invalid_argument("a token needs --user");
    printOut(make(request) + "\n");
    return 0;
  } catch (const std::invalid_argument& wrong) {
    std::fprintf(stderr, "stormo token: %s\n", wrong.what());
    return 2;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "stormo token: %s\n", failed.what());
    return 1;
  }
}
