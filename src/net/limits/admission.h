#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/counters.h"
#include "base/fifo.h"
#include "base/keyed_hash.h"
#include "net/connection_impl.h"
#include "net/limits/minute_log_limit.h"
#include "net/limits/shared_admission.h"

namespace stormo::net {

/// What a client is answered whose connection a limit refuses.
struct RefusalAnswer {
  int httpStatus;
  std::string_view text;
  std::string_view retryAfter;  ///< Seconds, for the header Retry-After.
};
[[nodiscard]] RefusalAnswer answerTo(Refusal refusal);
/// The process ends, and only answers health checks.
inline constexpr RefusalAnswer kStopping{
    .httpStatus = 503, .text = "the server is stopping", .retryAfter = "5"};

/// Decides, in one process, which connections are accepted: counts them in the SharedAdmission of
/// their Worker, and those whose handshake is not done. What is refused is counted, and logged at
/// most once a minute for each limit.
class Admission {
 public:
  /// Both outlive this, and this the connections.
  Admission(SharedAdmission& shared, int part, Reactor& reactor)
      : shared_(shared), part_(part), reactor_(reactor) {}

  /// A socket of this peer was accepted. If a limit refuses it, the ticket states which, and counts
  /// nowhere.
  [[nodiscard]] AdmissionTicket enter(const Address& peer);
  /// The address of the connection's client is known, and is not a trusted proxy's.
  void enterAddress(AdmissionTicket& ticket, const Address& client);
  /// The address was that of another client of the same proxy.
  void leaveAddress(AdmissionTicket& ticket, const Address& client);
  /// The connection, or the socket, with this ticket is closed. `client` as in enterAddress().
  void leave(const AdmissionTicket& ticket, const Address& client);

  /// The client, which is shown to its handlers, belongs to that user. False, and it is counted
  /// nowhere, if a limit refuses it. No-op if it belongs to one already.
  [[nodiscard]] bool enterUser(ConnectionImpl& connection, std::string_view user);
  /// The connection is closed. No-op if it belongs to no user.
  void leaveUser(ConnectionImpl& connection);

  /// False if so many refused clients wait for their answers that one more is disconnected.
  [[nodiscard]] bool mayAnswer() const { return answering_ < kAnswersMax; }
  /// A connection with this ticket was made only to answer its refusal.
  void beginAnswer(AdmissionTicket& ticket) {
    ticket.isAnswerCounted = true;
    ++answering_;
  }

  /// The handshake of a connection with this ticket begins. May end the oldest one: that calls no
  /// handler.
  void beginHandshake(ConnectionImpl& connection);
  /// No-op if it has ended before.
  void endHandshake(ConnectionImpl& connection);

 private:
  static constexpr std::size_t kAnswersMax = 256;

  [[nodiscard]] const Limits& limits() const { return shared_.limits(); }
  [[nodiscard]] LimitCounters& counters();
  /// Counts it. True if it is refused, false in a dry run.
  bool refuses(Refusal by, const Limit& limit, LimitCounter& counter, const Address& client);
  void endOldestHandshake();

  SharedAdmission& shared_;
  const int part_;
  Reactor& reactor_;
  std::size_t answering_ = 0;
  std::size_t handshakes_ = 0;
  Fifo<Handle> begun_;  // handshakes, the oldest first, and some that have ended
  KeyedMap<std::string, UserShare> users_;   // those with connections
  std::array<MinuteLogLimit, 6> logLimits_;  // by Refusal
};

}  // namespace stormo::net
