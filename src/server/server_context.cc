#include "server/server_context.h"

#include <fmt/format.h>
#include <stormo/event_loop.h>
#include <stormo/json.h>

#include <algorithm>
#include <utility>

namespace stormo::server {

bool ServerContext::isOwnCommand(Connection& client, std::string_view text) const {
  if (!server.onCommand) return false;
  const auto command = parseJson(text);
  return command && server.onCommand(client, *command);
}

void ServerContext::joined(Connection& client, std::string_view group) const {
  if (server.onLeave) client.state<ClientState>().groups.emplace_back(group);
  if (server.onJoin) server.onJoin(client, group);
}

void ServerContext::left(Connection& client, std::string_view group) const {
  if (auto* state = client.stateOrNull<ClientState>()) {
    const auto found = std::ranges::find(state->groups, group);
    if (found != state->groups.end()) {
      *found = std::move(state->groups.back());
      state->groups.pop_back();
    }
  }
  if (server.onLeave) server.onLeave(client, group);
}

void ServerContext::leftAll(Connection& client) const {
  auto* state = client.stateOrNull<ClientState>();
  if (state == nullptr) return;
  for (const std::string& group : std::exchange(state->groups, {})) {
    if (server.onLeave) server.onLeave(client, group);
  }
}

void ServerContext::replyError(Connection& client, std::string_view text) const {
  reply(client, text);
  ClientState& state = client.state<ClientState>();
  const EventLoop::TimePoint now = EventLoop::current().now();
  if (now - state.badSince >= options.badCommandsTime) state.badInARow = 0;
  if (state.badInARow == 0) state.badSince = now;
  if (++state.badInARow < options.badCommandsMax) return;
  client.close(
      CloseCode::PolicyViolation,
      fmt::format(
          "{} bad commands in a row within {} s", options.badCommandsMax,
          std::chrono::duration_cast<std::chrono::seconds>(options.badCommandsTime).count()));
}

void ServerContext::replyRefusal(Connection& client, std::string_view text) const {
  reply(client, text);
  if (++client.state<ClientState>().refusedInARow < options.refusedCommandsMax) return;
  client.close(CloseCode::PolicyViolation,
               fmt::format("{} refused commands in a row", options.refusedCommandsMax));
}

}  // namespace stormo::server
