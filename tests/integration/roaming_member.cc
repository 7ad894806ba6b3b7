#include "integration/roaming_member.h"

#include <fmt/format.h>

#include <utility>

#include "sys/random_id.h"

namespace stormo::integration {

RoamingMember::RoamingMember(ClientSwarm& swarm, ClusterLedger& ledger, std::size_t group)
    : swarm_(swarm),
      ledger_(ledger),
      member_(ledger.join(group)),
      group_(fmt::format("group{}", group)),
      session_(fmt::format("{:016x}", randomId() | 1)) {}

void RoamingMember::connect(std::uint16_t port) {
  if (connection_) swarm_.clear(*connection_);
  connection_ = swarm_.beginAt(port, "/", "Sec-WebSocket-Protocol: stormo.v1\r\n");
  hasBegun_ = hasJoined_ = false;
}

void RoamingMember::advance() {
  if (!connection_ || hasBegun_ || !swarm_[*connection_].isOpen()) return;
  hasBegun_ = true;
  begin();
}

void RoamingMember::begin() {
  request({{"cmd", "session"}, {"session", session_}}, ++lastId_);
  joinId_ = ++lastId_;
  Json join = {{"cmd", "join"}, {"group", group_}};
  if (!epoch_.empty()) {
    join["epoch"] = epoch_;
    join["offset"] = offset_;
  }
  request(std::move(join), joinId_);
  for (const auto& [id, text] : kept_) resend(id, text);
}

void RoamingMember::request(Json command, std::uint64_t id) {
  command["id"] = id;
  swarm_.send(*connection_, command.dump());
}

void RoamingMember::resend(std::uint64_t id, const std::string& text) {
  request({{"cmd", "send"}, {"group", group_}, {"message", text}}, id);
}

void RoamingMember::send() {
  const std::string text = ledger_.nextMessage(member_);
  kept_[++lastId_] = text;
  if (hasBegun_ && !isDisconnected()) resend(lastId_, text);
}

void RoamingMember::onMessage(const std::string& text) {
  const Json message = Json::parse(text);
  if (message.contains("id")) return onReply(message);
  if (message.value("event", "") != "message") {
    return ledger_.complain(fmt::format("member {} got {}", member_, text));
  }
  const auto offset = message.at("offset").get<std::uint64_t>();
  ledger_.received(member_, offset, message.at("message").get<std::string>());
  offset_ = offset;
}

void RoamingMember::onReply(const Json& reply) {
  if (!reply.value("ok", false)) {
    return ledger_.complain(fmt::format("member {} got {}", member_, reply.dump()));
  }
  const auto id = reply.at("id").get<std::uint64_t>();
  if (id == joinId_) return onJoined(reply);
  const auto kept = kept_.find(id);
  if (kept == kept_.end()) return;  // a session
  ledger_.acknowledged(kept->second);
  kept_.erase(kept);
}

void RoamingMember::onJoined(const Json& reply) {
  const auto epoch = reply.at("epoch").get<std::string>();
  const auto offset = reply.at("offset").get<std::uint64_t>();
  const bool isFirst = epoch_.empty();
  if (!isFirst && (epoch != epoch_ || !reply.value("recovered", false))) {
    ledger_.complain(fmt::format("member {} was at {}:{} and has a gap: {}", member_, epoch_,
                                 offset_, reply.dump()));
  }
  epoch_ = epoch;
  offset_ = offset;
  hasJoined_ = true;
}

}  // namespace stormo::integration
