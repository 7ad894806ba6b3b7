#include "server/access_control.h"

#include <fmt/format.h>
#include <stormo/log.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <utility>

#include "access/request_token.h"
#include "server/client_access.h"
#include "server/token_keys.h"

namespace stormo::server {
namespace {

using access::Token;
using access::TokenProblem;
using access::UnixSeconds;

constexpr std::chrono::seconds kTick{1};

UnixSeconds systemSeconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

AccessControl::AccessControl(Worker& worker, AccessOptions options)
    : clock(&systemSeconds),
      worker_(worker),
      options_(std::move(options)),
      isOpen_(options_.keys.empty() && !options_.moreKeysFollow && options_.rules.empty()) {
  const bool hasKeys = !options_.keys.empty() || options_.moreKeysFollow;
  if (!options_.rules.empty()) rules_.emplace(options_.rules, hasKeys);
  if (!hasKeys) return;
  verifier_.emplace(keySetOf(options_.keys),
                    access::TokenVerifier::Expected{.issuers = options_.issuers,
                                                    .audiences = options_.audiences,
                                                    .leeway = options_.leeway.count()});
}

AccessControl::~AccessControl() {
  if (tick_ != 0) Timer::cancel(tick_);
  if (search_ != 0) Timer::cancel(search_);
}

void AccessControl::onHandshake(Connection& client, const WebSocketHandshake& handshake) {
  if (!isClosed()) return;
  auto& state = client.state<ClientAccess>();
  state.since = clock();
  std::string text = access::tokenOf(handshake.request, options_.cookie);
  if (text.empty()) return;
  state.problem = accept(state, text);
  if (state.isKeyUnknown && searchKeys()) state.undecided = std::move(text);
}

const Token* AccessControl::onOpen(Connection& client) {
  if (!isClosed()) return nullptr;
  auto& state = client.state<ClientAccess>();
  if (!state.undecided.empty()) {
    if (search_ != 0 && !state.hasWaited) {
      waitForKeys(client, {});
      return nullptr;
    }
    state.problem = accept(state, std::exchange(state.undecided, {}));
    state.hasWaited = false;
  }
  if (!state.problem.empty()) {
    client.close(kUnauthorized, state.problem);
    return nullptr;
  }
  if (state.token != nullptr && !worker_.admitUser(client, state.token->user)) {
    client.close(kTooManyOfUser, kTooManyOfUserText);
    return nullptr;
  }
  schedule(client, state);
  return state.token.get();
}

std::string AccessControl::refresh(Connection& client, std::string_view text) {
  if (!isClosed()) return "this server takes no tokens";
  auto& state = client.state<ClientAccess>();
  std::string problem = accept(state, text);
  if (!problem.empty()) return problem;
  if (!worker_.admitUser(client, state.token->user)) {
    client.close(kTooManyOfUser, kTooManyOfUserText);
    return std::string(kTooManyOfUserText);
  }
  schedule(client, state);
  return {};
}

void AccessControl::onClose(Connection& client) {
  if (auto* const state = client.stateOrNull<ClientAccess>()) unschedule(client, *state);
}

std::string AccessControl::accept(ClientAccess& client, std::string_view text) {
  access::TokenVerifier::Verdict verdict = verifier_->verify(text, clock());
  client.isKeyUnknown = verdict.isKeyUnknown;
  if (verdict.problem != TokenProblem::None) {
    const std::string_view sentence = access::describe(verdict.problem);
    return verdict.claim.empty() ? std::string(sentence)
                                 : fmt::format("{}: {}", sentence, verdict.claim);
  }
  if (isRevoked && isRevoked(verdict.token, clock())) return std::string(kRevokedText);
  if (client.token == nullptr) {
    client.token = std::make_unique<Token>(std::move(verdict.token));
  } else if (client.token->user == verdict.token.user) {
    *client.token = std::move(verdict.token);
  } else {
    return "the token is of another user";
  }
  client.isNoticed = false;
  return {};
}

const Token* AccessControl::tokenOf(Connection& client) {
  const auto* const state = client.stateOrNull<ClientAccess>();
  return state == nullptr ? nullptr : state->token.get();
}

UnixSeconds AccessControl::connectedAt(Connection& client) {
  const auto* const state = client.stateOrNull<ClientAccess>();
  return state == nullptr ? 0 : state->since;
}

void AccessControl::schedule(Connection& client, ClientAccess& state) {
  unschedule(client, state);
  state.due = attend(client, state);
  if (!state.due) return;
  due_.emplace(*state.due, client.id());
  if (tick_ == 0) tick_ = Timer::add(kTick, [this] { onTick(); });
}

void AccessControl::unschedule(const Connection& client, ClientAccess& state) {
  if (state.due) due_.erase({*std::exchange(state.due, std::nullopt), client.id()});
}

void AccessControl::onTick() {
  const UnixSeconds now = clock();
  while (!due_.empty() && due_.begin()->first <= now) {
    Connection* const client = worker_.find(due_.begin()->second);
    due_.erase(due_.begin());
    if (client != nullptr) schedule(*client, client->state<ClientAccess>());  // else it is closing
  }
  if (due_.empty()) Timer::cancel(std::exchange(tick_, 0));
}

std::optional<UnixSeconds> AccessControl::attend(Connection& client, ClientAccess& state) {
  const UnixSeconds now = clock();
  if (state.token == nullptr) {
    if (rules_ && rules_->allowAnyone()) return std::nullopt;
    const UnixSeconds end = state.since + options_.tokenTimeout.count();
    if (now < end) return end;
    client.close(kUnauthorized, "no token in time");
    return std::nullopt;
  }
  if (!state.token->expires) return std::nullopt;
  const UnixSeconds expires = *state.token->expires + options_.leeway.count();
  const UnixSeconds end = expires + options_.grace.count();
  if (now >= end) {
    client.close(kUnauthorized, access::describe(TokenProblem::Expired));
    return std::nullopt;
  }
  const UnixSeconds notice = expires - options_.notice.count();
  if (now < notice) return notice;
  if (!std::exchange(state.isNoticed, true) && onExpiring) {
    onExpiring(client, std::chrono::seconds(std::max<UnixSeconds>(0, expires - now)));
  }
  return end;
}

}  // namespace stormo::server
