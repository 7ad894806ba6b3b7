// The client's part of Stormo's dialect that concerns jobs.
#include "channel/client/client_link.h"
#include "channel/client/stormo_dialect.h"

namespace stormo::channel {

void StormoDialect::onJobPacket(const Packet& packet) {
  if (packet.payloadKind != PayloadKind::Value) return link().violation("a job that is no value");
  // A new link brings all jobs again, also those that this process has received or ended.
  if (jobs_.try_emplace(packet.job, 0).second) {
    const std::uint64_t number = jobNumbersBegin_ + packet.job;
    highestJobNumber_ = std::max(highestJobNumber_, number);
    link().jobReceived(number, packet.channel, packet.payload);
  }
  // Only now: until here a handler that reserves the next job does not send this itself.
  if (jobsOnTheWay_ > 0 && --jobsOnTheWay_ == 0) link().sendReservations();
}

void StormoDialect::finishJob(std::uint64_t number) { endJob(Kind::Finish, number); }

bool StormoDialect::giveBackJob(std::uint64_t number, std::string_view, const Value&) {
  endJob(Kind::Return, number);
  return true;
}

/// Never refused: the limit of what waits is for new work. A job of an earlier epoch is not ended:
/// the Channel has handed it out again, if it has it.
void StormoDialect::endJob(Kind kind, std::uint64_t number) {
  if (number <= jobNumbersBegin_) return;
  const std::uint64_t lease = number - jobNumbersBegin_;
  const Packet packet{.kind = kind, .sequence = ++sequence_, .job = lease};
  const std::size_t bytes = headerBytes(packet);
  encodeHeader(packet, 0, unacked_.extend(bytes));
  jobs_[lease] = sequence_;
  placed(bytes);
}

}  // namespace stormo::channel
