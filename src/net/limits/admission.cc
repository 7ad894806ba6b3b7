#include "net/limits/admission.h"

#include <utility>

#include "net/reactor.h"
#include "sys/log.h"

namespace stormo::net {
namespace {

/// The setting of the server, for the log.
const char* nameOf(Refusal refusal) {
  switch (refusal) {
    case Refusal::None:
      return "none";
    case Refusal::Connections:
      return "connections";
    case Refusal::ConnectionsPerAddress:
      return "connections-per-address";
    case Refusal::ConnectionsPerUser:
      return "connections-per-user";
    case Refusal::ConnectionsPerSecond:
      return "connections-per-second";
    case Refusal::Handshakes:
      return "handshakes";
  }
  return "";
}

}  // namespace

RefusalAnswer answerTo(Refusal refusal) {
  switch (refusal) {
    case Refusal::ConnectionsPerAddress:
      return {429, "too many connections from this address", "10"};
    case Refusal::ConnectionsPerSecond:
      return {429, "too many new connections", "2"};
    case Refusal::Handshakes:
      return {503, "too many handshakes in progress", "2"};
    case Refusal::None:
    case Refusal::Connections:
    case Refusal::ConnectionsPerUser:  // known after the handshake only
      break;
  }
  return {503, "too many connections", "10"};
}

LimitCounters& Admission::counters() { return reactor_.counters().limits; }

AdmissionTicket Admission::enter(const Address& peer) {
  AdmissionTicket ticket;
  const Limit& rate = limits().connectionsPerSecond;
  if (rate.max > 0 && !shared_.takeFromRate(reactor_.loop().now) &&
      refuses(Refusal::ConnectionsPerSecond, rate, counters().connectionsPerSecond, peer)) {
    ticket.refusal = Refusal::ConnectionsPerSecond;
    return ticket;
  }
  const Limit& total = limits().connections;
  if (total.max == 0) return ticket;
  ticket.isCounted = true;
  if (shared_.add(part_) > total.max &&
      refuses(Refusal::Connections, total, counters().connections, peer)) {
    shared_.subtract(part_);
    ticket.isCounted = false;
    ticket.refusal = Refusal::Connections;
  }
  return ticket;
}

void Admission::enterAddress(AdmissionTicket& ticket, const Address& client) {
  const Limit& limit = limits().connectionsPerAddress;
  if (limit.max == 0 || ticket.refusal != Refusal::None) return;
  const auto key = addressKey(client);
  if (!key) return;
  const std::uint64_t count = shared_.addAddress(part_, *key);
  ticket.isAddressCounted = count > 0;
  if (count <= limit.max ||
      !refuses(Refusal::ConnectionsPerAddress, limit, counters().connectionsPerAddress, client)) {
    return;
  }
  leave(ticket, client);
  ticket.isCounted = ticket.isAddressCounted = false;
  ticket.refusal = Refusal::ConnectionsPerAddress;
}

void Admission::leaveAddress(AdmissionTicket& ticket, const Address& client) {
  if (!ticket.isAddressCounted) return;
  ticket.isAddressCounted = false;
  shared_.subtractAddress(part_, addressKey(client).value());
}

void Admission::leave(const AdmissionTicket& ticket, const Address& client) {
  if (ticket.isCounted) shared_.subtract(part_);
  if (ticket.isAnswerCounted) --answering_;
  if (ticket.isAddressCounted) shared_.subtractAddress(part_, addressKey(client).value());
}

bool Admission::enterUser(ConnectionImpl& connection, std::string_view user) {
  if (connection.in.user != nullptr) return true;
  const Limit& limit = limits().connectionsPerUser;
  if (limit.max > 0) {
    const std::uint64_t key = sipHash13(processHashKey(), user);
    const std::uint64_t count = shared_.addUser(part_, key);
    connection.ticket.isUserCounted = count > 0;
    if (count > limit.max && refuses(Refusal::ConnectionsPerUser, limit,
                                     counters().connectionsPerUser, connection.remote.get())) {
      shared_.subtractUser(part_, key);
      connection.ticket.isUserCounted = false;
      return false;
    }
  }
  const auto [entry, isNew] = users_.try_emplace(std::string(user));
  UserShare& share = entry->second;
  if (isNew) share.name = entry->first;
  ++share.connections;
  connection.in.user = &share;
  return true;
}

void Admission::leaveUser(ConnectionImpl& connection) {
  UserShare* const share = std::exchange(connection.in.user, nullptr);
  if (share == nullptr) return;
  if (connection.ticket.isUserCounted) {
    shared_.subtractUser(part_, sipHash13(processHashKey(), share->name));
    connection.ticket.isUserCounted = false;
  }
  if (--share->connections == 0) users_.erase(users_.find(share->name));
}

bool Admission::refuses(Refusal by, const Limit& limit, LimitCounter& counter,
                        const Address& client) {
  counter.add(limit.dryRun);
  if (limit.dryRun) return false;
  const auto count = logLimits_[static_cast<std::size_t>(by)].take(reactor_.loop().now);
  if (count > 0) {
    log::warning("clients are refused limit={} max={} refused={} last_remote={}", nameOf(by),
                 limit.max, count, client.text());
  }
  return true;
}

void Admission::beginHandshake(ConnectionImpl& connection) {
  const Limit& limit = limits().handshakes;
  if (limit.max == 0) return;
  const auto processes = static_cast<std::size_t>(shared_.processes());
  const std::size_t share = (limit.max + processes - 1) / processes;
  connection.ticket.isHandshakeCounted = true;
  begun_.push(connection.id);
  if (++handshakes_ <= share) return;
  const bool refused =
      refuses(Refusal::Handshakes, limit, counters().handshakes, connection.remote.get());
  if (refused) endOldestHandshake();
}

void Admission::endHandshake(ConnectionImpl& connection) {
  if (!connection.ticket.isHandshakeCounted) return;
  connection.ticket.isHandshakeCounted = false;
  --handshakes_;
  // Those that have ended are removed when all before them have, or here, when they are many.
  while (!begun_.empty()) {
    const ConnectionImpl* first = reactor_.connections.at(begun_.front());
    if (first != nullptr && first->ticket.isHandshakeCounted) break;
    begun_.pop();
  }
  if (begun_.size() < 2 * handshakes_ + 64) return;
  Fifo<Handle> left;
  begun_.forEach([&](Handle id) {
    const ConnectionImpl* each = reactor_.connections.at(id);
    if (each != nullptr && each->ticket.isHandshakeCounted) left.push(id);
  });
  begun_ = std::move(left);
}

void Admission::endOldestHandshake() {
  while (!begun_.empty()) {
    ConnectionImpl* oldest = reactor_.connections.at(begun_.front());
    begun_.pop();
    if (oldest == nullptr || !oldest->ticket.isHandshakeCounted) continue;
    return reactor_.connections.refuseAdmission(*oldest, Refusal::Handshakes);
  }
}

}  // namespace stormo::net
