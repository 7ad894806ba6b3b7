#include "server/api/questions.h"

#include <stormo/json.h>

#include <charconv>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/api/answer.h"

namespace stormo::server::api {
namespace {

using Endpoint = Route::Endpoint;

constexpr std::size_t kLimitMax = 1000;

Problem noReply(const Error& error) {
  return unavailable("the processes with clients cannot be asked: " + error.message());
}

Problem noClient() {
  return {.status = 404, .code = "not_found", .message = "there is no client with that id"};
}

/// Nothing if the text is no id that a client can have.
std::optional<Audience> clientOf(const std::string& id) {
  try {
    return Audience::client(id);
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

/// The rest of each page: whether there is another one, and whether a process is missing.
void addEnd(Value& body, bool hasMore, bool isComplete) {
  body.set("more", hasMore).set("complete", isComplete);
}

/// `name`: the member of the answer that has the list.
std::function<void(const Result<Backend::Counts>&)> countsAnswer(const PendingResponse& response,
                                                                 std::string_view name) {
  return [response, name](const Result<Backend::Counts>& counts) {
    if (!counts) return answer(response, noReply(counts.error()));
    Value list = Value::list();
    const bool isUsers = name == "users";
    for (const Backend::Count& each : counts.value().items) {
      list.append(
          Value::object({{isUsers ? "user" : "name", each.name}, {"clients", each.clients}}));
    }
    Value body = Value::object({{name, std::move(list)}});
    addEnd(body, counts.value().hasMore, counts.value().isComplete);
    answer(response, 200, body);
  };
}

/// `head`: the members before the list.
std::function<void(const Result<Backend::Clients>&)> clientsAnswer(const PendingResponse& response,
                                                                   Value head) {
  return [response, head = std::move(head)](const Result<Backend::Clients>& clients) {
    if (!clients) return answer(response, noReply(clients.error()));
    Value list = Value::list();
    for (const Backend::Client& each : clients.value().items) list.append(clientValue(each));
    Value body = head;
    body.set("clients", std::move(list));
    addEnd(body, clients.value().hasMore, clients.value().isComplete);
    answer(response, 200, body);
  };
}

/// A pattern that only this name matches.
std::string patternOf(std::string_view name) {
  std::string pattern;
  for (const char c : name) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern;
}

void askForGroup(Backend& backend, const std::string& name, const PendingResponse& response) {
  backend.groups({.pattern = patternOf(name), .limit = 1},
                 [response, name](const Result<Backend::Counts>& counts) {
                   if (!counts) return answer(response, noReply(counts.error()));
                   const auto& items = counts.value().items;
                   const std::uint64_t clients = items.empty() ? 0 : items.front().clients;
                   answer(response, 200,
                          Value::object({{"name", name},
                                         {"clients", clients},
                                         {"complete", counts.value().isComplete}}));
                 });
}

void askForClient(Backend& backend, const Audience& client, const PendingResponse& response) {
  backend.clients(client, {.limit = 1}, [response](const Result<Backend::Clients>& clients) {
    if (!clients) return answer(response, noReply(clients.error()));
    const auto& items = clients.value().items;
    if (!items.empty()) return answer(response, 200, clientValue(items.front()));
    if (!clients.value().isComplete) {
      return answer(response, unavailable("a process has not replied in time"));
    }
    answer(response, noClient());
  });
}

void askForTotals(Backend& backend, const PendingResponse& response) {
  backend.totals([response](const Result<Backend::Totals>& totals) {
    if (!totals) return answer(response, noReply(totals.error()));
    const Backend::Totals& all = totals.value();
    answer(response, 200,
           Value::object({{"clients", all.clients},
                          {"users", all.users},
                          {"groups", all.groups},
                          {"processes", all.processes},
                          {"complete", all.isComplete}}));
  });
}

}  // namespace

std::variant<Backend::Page, Problem> readPage(const HttpRequest& request) {
  Backend::Page page;
  page.pattern = request.queryValue("pattern").value_or("");
  page.after = request.queryValue("after").value_or("");
  if (page.pattern.size() > 255) return invalidField("pattern", "'pattern' has over 255 bytes");
  if (page.after.size() > 255) return invalidField("after", "'after' has over 255 bytes");
  if (const auto text = request.queryValue("limit")) {
    const char* const last = text->data() + text->size();
    const auto [end, errc] = std::from_chars(text->data(), last, page.limit);
    if (errc != std::errc{} || end != last || page.limit == 0 || page.limit > kLimitMax) {
      return invalidField("limit", "'limit' must be a whole number from 1 to 1000");
    }
  }
  return page;
}

Value clientValue(const Backend::Client& client) {
  Value value = Value::object({{"id", client.id}});
  value.set("user", client.user.empty() ? Value() : Value(client.user));
  const auto info = client.info.empty() ? std::nullopt : parseJson(client.info);
  value.set("info", info && info->isObject() ? *info : Value());
  value.set("address", client.address)
      .set("protocol", client.protocol)
      .set("connected_at", client.connectedAt)
      .set("groups", Value::list(client.groups));
  return value;
}

void ask(Backend& backend, const Route& route, const HttpRequest& request,
         const PendingResponse& response) {
  const auto page = readPage(request);
  if (const auto* problem = std::get_if<Problem>(&page)) return answer(response, *problem);
  const Backend::Page& asked = std::get<Backend::Page>(page);
  switch (route.endpoint) {
    case Endpoint::Groups:
      return backend.groups(asked, countsAnswer(response, "groups"));
    case Endpoint::Users:
      return backend.users(asked, countsAnswer(response, "users"));
    case Endpoint::Group:
      return askForGroup(backend, route.name, response);
    case Endpoint::GroupClients:
      return backend.clients(Audience::group(route.name), asked,
                             clientsAnswer(response, Value::object({{"name", route.name}})));
    case Endpoint::User:
      return backend.clients(Audience::user(route.name), asked,
                             clientsAnswer(response, Value::object({{"user", route.name}})));
    case Endpoint::Clients:
      return backend.clients(Audience::everybody(), asked,
                             clientsAnswer(response, Value::object()));
    case Endpoint::Client: {
      const auto client = clientOf(route.name);
      return client ? askForClient(backend, *client, response) : answer(response, noClient());
    }
    default:
      return askForTotals(backend, response);
  }
}

}  // namespace stormo::server::api
