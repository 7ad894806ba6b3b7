// Clients of an AccessControl whose tokens state keys that are not known, while newer keys are
// looked for: they are not read, and later treated as if they had come then.
#include <fmt/format.h>
#include <stormo/log.h>

#include <chrono>
#include <exception>
#include <stdexcept>

#include "access/key_set.h"
#include "server/access_control.h"
#include "server/client_access.h"
#include "server/token_keys.h"

namespace stormo::server {
namespace {

constexpr std::chrono::seconds kSearchMax{10};

}  // namespace

bool AccessControl::searchKeys() {
  if (search_ != 0) return true;
  if (!onUnknownKey || !onUnknownKey()) return false;
  search_ = Timer::once(kSearchMax, [this] {
    search_ = 0;
    endKeySearch();
  });
  return true;
}

bool AccessControl::waitsForKey(Connection& client, std::string_view token, Message message) {
  if (!options_.moreKeysFollow) return false;
  auto& state = client.state<ClientAccess>();
  if (std::exchange(state.hasWaited, false)) return false;
  if (!verifier_->verify(token, clock()).isKeyUnknown || !searchKeys()) return false;
  waitForKeys(client, std::string(message));
  return true;
}

void AccessControl::waitForKeys(Connection& client, std::string message) {
  client.state<ClientAccess>().hasWaited = true;
  client.pauseRecv();
  waiting_.push_back({.client = client.id(), .message = std::move(message)});
}

void AccessControl::setKeys(const std::vector<TokenKey>& keys) {
  if (!options_.moreKeysFollow) {
    throw std::logic_error("GroupServer::setKeys() without AccessOptions::moreKeysFollow");
  }
  access::KeySet all = keySetOf(options_.keys);
  all.add(keySetOf(keys));
  verifier_->setKeys(std::move(all));
  endKeySearch();
}

void AccessControl::endKeySearch() {
  if (search_ != 0) Timer::cancel(std::exchange(search_, 0));
  for (const Waiting& each : std::exchange(waiting_, {})) {
    Connection* const client = worker_.find(each.client);
    if (client == nullptr) continue;
    client->resumeRecv();
    try {
      each.message.empty() ? onOpenAgain(*client) : onMessageAgain(*client, each.message);
    } catch (const std::exception& thrown) {  // of the program; the others must not wait for ever
      log::error(fmt::format("a handler threw, its client is closed what=\"{}\"", thrown.what()));
      client->close(CloseCode::InternalError);
    }
  }
}

}  // namespace stormo::server
