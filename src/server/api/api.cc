#include <stormo/api.h>
#include <stormo/backend.h>
#include <stormo/channel.h>
#include <stormo/worker.h>

#include <chrono>
#include <utility>

#include "server/api/answer.h"
#include "server/api/command.h"
#include "server/api/command_run.h"
#include "server/api/history.h"
#include "server/api/keys.h"
#include "server/api/openapi.h"
#include "server/api/questions.h"
#include "server/api/route.h"
#include "server/api/send_ids.h"

namespace stormo {

using namespace server::api;

namespace {

std::int64_t secondsNow() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

Problem unauthorized(bool hasHeader) {
  return {.status = 401,
          .code = "unauthorized",
          .message = hasHeader ? "the key is not known here: send 'Authorization: Bearer KEY'"
                               : "a key is needed: send 'Authorization: Bearer KEY'"};
}

Problem forbidden(const Keys::Key& key, Right right) {
  return {.status = 403,
          .code = "forbidden",
          .message =
              "the key '" + key.name + "' does not have the right " + std::string(nameOf(right))};
}

}  // namespace

struct ApiServer::Impl {
  Impl(Worker& of, Channel& to, const ApiOptions& options)
      : worker(of),
        channel(to),
        keys(options.keys),
        backend(to),
        context{.channel = to,
                .backend = backend,
                .unackedBytesMax = options.unackedBytesMax,
                .acknowledgeTimeout = options.acknowledgeTimeout} {}

  void onRequest(const HttpRequest& request, const PendingResponse& response) {
    auto found = routeOf(request.path);
    if (const auto* problem = std::get_if<Problem>(&found)) return answer(response, *problem);
    const Route& route = std::get<Route>(found);
    if (!isMethodOf(route, request, response)) return;
    if (route.endpoint == Route::Endpoint::OpenApi) {
      return static_cast<void>(response.answer(200, kOpenApi, "application/json"));
    }
    const Keys::Key* const key = keys.find(request.header("Authorization"));
    if (key == nullptr) {
      return answer(response, unauthorized(request.headerCount("Authorization") > 0));
    }
    if (const auto right = route.right(); right && !key->may(*right)) {
      return answer(response, forbidden(*key, *right));
    }
    if (route.isPost()) return execute(route, *key, request, response);
    if (!channel.isConnected()) {
      return answer(response, unavailable("there is no link to the Channel"));
    }
    if (route.endpoint != Route::Endpoint::GroupHistory) {
      return ask(backend, route, request, response);
    }
    const auto query = readHistoryQuery(request);
    if (const auto* problem = std::get_if<Problem>(&query)) return answer(response, *problem);
    askForHistory(channel, route.name, std::get<HistoryQuery>(query), response);
  }

  static bool isMethodOf(const Route& route, const HttpRequest& request,
                         const PendingResponse& response) {
    const bool isRight = route.isPost() ? request.method == "POST"
                                        : request.method == "GET" || request.method == "HEAD";
    if (isRight) return true;
    const std::string_view allowed = route.isPost() ? "POST" : "GET, HEAD";
    response.addHeader("Allow", allowed);
    answer(response, Problem{.status = 405,
                             .code = "method_not_allowed",
                             .message = request.path + " takes " + std::string(allowed) +
                                        ", not this method"});
    return false;
  }

  void execute(const Route& route, const Keys::Key& key, const HttpRequest& request,
               const PendingResponse& response) {
    SendIds ids;
    if (request.headerCount("Idempotency-Key") > 0) {
      const std::string_view value = request.header("Idempotency-Key");
      if (const auto problem = complaintOfIdempotencyKey(value)) return answer(response, *problem);
      ids = SendIds(key.name, value);
    }
    std::vector<Command> commands;
    const bool isBatch = route.endpoint == Route::Endpoint::Batch;
    if (isBatch) {
      auto read = readBatch(request.body, secondsNow());
      if (const auto* problem = std::get_if<Problem>(&read)) return answer(response, *problem);
      commands = std::move(std::get<std::vector<Command>>(read));
    } else {
      auto read = readCommand(route.command, request.body, secondsNow());
      if (const auto* problem = std::get_if<Problem>(&read)) return answer(response, *problem);
      commands.push_back(std::move(std::get<Command>(read)));
    }
    for (const Command& command : commands) {
      const Right right = rightFor(command.kind);
      if (!key.may(right)) return answer(response, forbidden(key, right));
    }
    if (!channel.isConnected()) {
      return answer(response, unavailable("there is no link to the Channel"));
    }
    std::make_shared<CommandRun>(context, response, std::move(commands), isBatch, std::move(ids))
        ->start();
  }

  Worker& worker;
  Channel& channel;
  const Keys keys;
  Backend backend;
  const CommandRun::Context context;
};

ApiServer::ApiServer(Worker& worker, Channel& channel, ApiOptions options)
    : impl_(std::make_unique<Impl>(worker, channel, options)) {
  worker.onRequest = [this](const HttpRequest& request, HttpResponse& response) {
    onRequest(request, response);
  };
}

ApiServer::~ApiServer() = default;

void ApiServer::onRequest(const HttpRequest& request, HttpResponse& response) {
  impl_->onRequest(request, response.later());
}

}  // namespace stormo
