#include "server/api/route.h"

#include <stormo/audience.h>

#include <utility>
#include <vector>

#include "protocol/http/percent.h"

namespace stormo::server::api {
namespace {

using Endpoint = Route::Endpoint;

constexpr std::string_view kRoot = "/v1/";

std::vector<std::string_view> segmentsOf(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == path.npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

Problem notFound(std::string_view path) {
  return {.status = 404,
          .code = "not_found",
          .message = "there is no " + std::string(path) + ": see GET /v1/openapi.json"};
}

/// The endpoint of paths with one segment.
std::optional<Route> plainRoute(std::string_view word) {
  if (const auto command = commandNamed(word)) {
    return Route{.endpoint = Endpoint::Command, .command = *command};
  }
  constexpr std::pair<std::string_view, Endpoint> kPlain[] = {
      {"batch", Endpoint::Batch}, {"groups", Endpoint::Groups},
      {"users", Endpoint::Users}, {"clients", Endpoint::Clients},
      {"stats", Endpoint::Stats}, {"openapi.json", Endpoint::OpenApi},
  };
  for (const auto& [name, endpoint] : kPlain) {
    if (word == name) return Route{.endpoint = endpoint};
  }
  return std::nullopt;
}

/// The endpoint of "groups/NAME", "groups/NAME/history" and so on.
std::optional<Endpoint> namedEndpoint(const std::vector<std::string_view>& segments) {
  if (segments.size() == 2) {
    if (segments[0] == "groups") return Endpoint::Group;
    if (segments[0] == "users") return Endpoint::User;
    if (segments[0] == "clients") return Endpoint::Client;
  }
  if (segments.size() == 3 && segments[0] == "groups") {
    if (segments[2] == "clients") return Endpoint::GroupClients;
    if (segments[2] == "history") return Endpoint::GroupHistory;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Right> Route::right() const {
  if (endpoint == Endpoint::Command) return rightFor(command);
  if (endpoint == Endpoint::Batch || endpoint == Endpoint::OpenApi) return std::nullopt;
  return Right::Read;
}

Right rightFor(Command::Kind command) {
  return command == Command::Kind::Publish ? Right::Publish : Right::Control;
}

std::variant<Route, Problem> routeOf(std::string_view path) {
  if (!path.starts_with(kRoot)) return notFound(path);
  const auto segments = segmentsOf(path.substr(kRoot.size()));
  if (segments.size() == 1) {
    auto route = plainRoute(segments.front());
    if (!route) return notFound(path);
    return std::move(*route);
  }
  const auto endpoint = namedEndpoint(segments);
  if (!endpoint || segments[1].empty()) return notFound(path);
  auto name = percentDecoded(segments[1]);
  const std::size_t bytesMax =
      *endpoint == Endpoint::User || *endpoint == Endpoint::Client ? Audience::kUserBytesMax : 255;
  if (!name || name->size() > bytesMax || isReservedName(*name)) {
    return invalidField("path", "the name in the path must be percent-encoded, and have 1 to " +
                                    std::to_string(bytesMax) + " bytes");
  }
  return Route{.endpoint = *endpoint, .name = std::move(*name)};
}

}  // namespace stormo::server::api
