#include "net/limits/input_throttle.h"

#include "net/reactor.h"
#include "sys/log.h"

namespace stormo::net {
namespace {

// A connection that was held is read again when it has tokens for this time at least, so that one
// with many small messages is not held for each of them.
constexpr Clock::duration kRest = TokenBucket::kBurst / 64;

/// Until the bucket has enough to read on.
Clock::duration restOf(const TokenBucket& bucket, const Limit& limit, TimePoint now) {
  if (limit.max == 0 || limit.dryRun) return {};
  return bucket.waitFor(std::max(TokenBucket::costOf(1, limit.max), kRest), now);
}

InputDebt& debtOf(ConnectionImpl& connection) {
  auto& debt = connection.in.debt;
  if (debt == nullptr) debt = std::make_unique<InputDebt>();
  return *debt;
}

}  // namespace

void InputThrottle::onBytes(ConnectionImpl& connection, std::size_t bytes) {
  const InputRates& rates = *connection.endpoint->inputRates;
  LimitCounters& counters = reactor_.counters().limits;
  if (rates.bytesPerSecond.max > 0 && connection.isUsable()) {
    static_cast<void>(charge(connection, debtOf(connection).bytes, rates.bytesPerSecond, bytes,
                             counters.bytesPerSecond, "too many bytes per second"));
  }
  UserShare* const user = connection.in.user;
  if (user == nullptr || rates.bytesPerSecondPerUser.max == 0 || !connection.isUsable()) return;
  static_cast<void>(charge(connection, user->debt.bytes, rates.bytesPerSecondPerUser, bytes,
                           counters.bytesPerSecondPerUser,
                           "too many bytes per second of this user"));
}

bool InputThrottle::onMessage(ConnectionImpl& connection) {
  const InputRates& rates = *connection.endpoint->inputRates;
  LimitCounters& counters = reactor_.counters().limits;
  if (rates.messagesPerSecond.max > 0 &&
      !charge(connection, debtOf(connection).messages, rates.messagesPerSecond, 1,
              counters.messagesPerSecond, "too many messages per second")) {
    return false;
  }
  UserShare* const user = connection.in.user;
  return user == nullptr || rates.messagesPerSecondPerUser.max == 0 ||
         charge(connection, user->debt.messages, rates.messagesPerSecondPerUser, 1,
                counters.messagesPerSecondPerUser, "too many messages per second of this user");
}

/// False if the connection was closed.
bool InputThrottle::charge(ConnectionImpl& connection, TokenBucket& bucket, const Limit& limit,
                           std::size_t tokens, LimitCounter& counter, const char* reason) {
  const TimePoint now = reactor_.loop().now;
  const Clock::duration cost = TokenBucket::costOf(tokens, limit.max);
  const bool waits = connection.endpoint->inputRates->overRate == OverRate::Wait && !limit.dryRun;
  if (!waits && bucket.waitFor(cost, now) > Clock::duration::zero()) {
    counter.add(limit.dryRun);
    if (limit.dryRun) return true;
    log::debug("a client exceeds a rate remote={} reason=\"{}\"", connection.remoteAddress(),
               reason);
    reactor_.connections.closeWithoutAnswer(connection, CloseCode::PolicyViolation, reason);
    return false;
  }
  bucket.spend(cost, now);
  const Clock::duration wait = waits ? restOf(bucket, limit, now) : Clock::duration::zero();
  if (wait == Clock::duration::zero()) return true;
  counter.add(false);
  hold(connection, wait);
  return true;
}

void InputThrottle::hold(ConnectionImpl& connection, Clock::duration wait) {
  const TimePoint now = reactor_.loop().now;
  if (!held_) held_.emplace(reactor_, now, [this](ConnectionImpl& held) { onDue(held); });
  connection.in.isThrottled = true;
  held_->set(connection, now + wait);
}

/// The wheel may be early, and another bucket may need longer than the one that has held it.
void InputThrottle::onDue(ConnectionImpl& connection) {
  const TimePoint now = reactor_.loop().now;
  const InputRates& rates = *connection.endpoint->inputRates;
  Clock::duration wait{};
  const auto await = [&](const TokenBucket& bucket, const Limit& limit) {
    wait = std::max(wait, restOf(bucket, limit, now));
  };
  if (const InputDebt* const debt = connection.in.debt.get()) {
    await(debt->messages, rates.messagesPerSecond);
    await(debt->bytes, rates.bytesPerSecond);
  }
  if (const UserShare* const user = connection.in.user) {
    await(user->debt.messages, rates.messagesPerSecondPerUser);
    await(user->debt.bytes, rates.bytesPerSecondPerUser);
  }
  if (wait > Clock::duration::zero()) return held_->set(connection, now + wait);
  reactor_.input.endThrottle(connection);
}

void InputThrottle::forget(ConnectionImpl& connection) {
  if (!connection.in.isThrottled) return;
  held_->clear(connection);
  reactor_.input.endThrottle(connection);
}

}  // namespace stormo::net
