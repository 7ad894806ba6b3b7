#include "bench/generator.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "protocol/websocket/handshake.h"
#include "sys/clock.h"

namespace stormo::bench {
namespace {

constexpr int kEventsPerWait = 1024;
constexpr std::size_t kInputBytes = 256 << 10;
constexpr std::string_view kKey = "c3Rvcm1vIGxvYWQgdGVzdA==";

std::uint64_t clockNs() {
  return static_cast<std::uint64_t>(Clock::now().time_since_epoch() / std::chrono::nanoseconds(1));
}

std::uint64_t toNs(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

void sleepUntil(std::uint64_t ns) {
  const timespec until{.tv_sec = static_cast<time_t>(ns / 1'000'000'000),
                       .tv_nsec = static_cast<long>(ns % 1'000'000'000)};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
}

}  // namespace

Generator::Generator(const Plan& plan, std::size_t index, SharedProgress& progress)
    : plan_(plan),
      index_(index),
      progress_(progress),
      own_(progress.process(index)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      request_(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\n"
                           "Connection: Upgrade\r\nSec-WebSocket-Key: {}\r\n"
                           "Sec-WebSocket-Version: 13\r\n\r\n",
                           plan.target, plan.host, kKey)),
      accept_(websocket::acceptKey(kKey)),
      input_(kInputBytes),
      pong_(clientFrame(websocket::Opcode::Pong, "")) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // ns: an open loop's messages are due to the microsecond
  members_.reserve(plan.members / plan.processes + 1);  // publishers refer to members
  const std::size_t lookingStride = plan.checkAll ? 1 : 100;
  for (std::size_t number = index; number < plan.members; number += plan.processes) {
    Member& member = members_.emplace_back();
    member.number = number;
    member.group = plan.groupOf(number);
    const bool publishes = number < std::max(plan.publishers, plan.groups);
    member.looks = publishes || number % lookingStride == 0;
    if (member.looks) member.last.resize(plan.publishersInGroup());
    // The first member of each group sends its probes, even if it publishes nothing.
    if (publishes && !plan.publish.empty()) {
      producers_.push_back(
          {.member = &member,
           .frame = PublishFrame(plan.publish, groupName(member.group), plan.messageBytes)});
    }
  }
}

void Generator::run() {
  epoll_event events[kEventsPerWait];
  int count = 0;
  while (phase_ != Phase::End) {
    if (const Phase phase = progress_.phase(); phase != phase_) enter(phase);
    connectMore();
    if (progress_.probeRound() != probedRound_) probe();
    publishDue();
    sayAlive();

    if (count < kEventsPerWait) sleepUntil(nextLookNs());
    count = ::epoll_wait(epoll_.get(), events, kEventsPerWait, 0);
    if (count < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category(), "epoll_wait");
    }
    nowNs_ = clockNs();
    for (int i = 0; i < count; ++i) {
      Member& member = members_[events[i].data.u32];
      if ((events[i].events & EPOLLOUT) != 0) flush(member);
      if ((events[i].events & ~EPOLLOUT) != 0) onReadable(member);
    }
    own_.delivered.set(delivered());
    own_.heard.set(probesHeard_);
    if (phase_ == Phase::Drain) judgeMembers();
  }
}

std::uint64_t Generator::nextLookNs() const {
  const std::uint64_t next = nowNs_ + toNs(plan_.tick);
  return intervalNs_ == 0 ? next : std::min(next, dueNs_);
}

std::uint64_t Generator::delivered() const {
  return lookedAt_ + (frameBytes_ == 0 ? 0 : countedBytes_ / frameBytes_);
}

void Generator::enter(Phase phase) {
  phase_ = phase;
  nowNs_ = clockNs();
  switch (phase) {
    case Phase::Ready:
      beginCounting();
      break;
    case Phase::WarmUp:
      beginRun();
      break;
    case Phase::Measure:
      measureBeganNs_ = nowNs_;
      measureBeganDelivered_ = delivered();
      measureBeganPublished_ = published_;
      break;
    case Phase::Stop:
      own_.measuredNs.set(nowNs_ - measureBeganNs_);
      own_.measuredDelivered.set(delivered() - measureBeganDelivered_);
      own_.measuredPublished.set(published_ - measureBeganPublished_);
      intervalNs_ = 0;
      for (const Publisher& publisher : producers_) {
        progress_.publishedTo(publisher.member->group) += publisher.sequence;
      }
      break;
    default:
      break;
  }
  own_.reached.store(phase, std::memory_order_release);
}

void Generator::probe() {
  probedRound_ = progress_.probeRound();
  // Another process may have been faster, and members of this one have heard its probe.
  probesHeard_ =
      static_cast<std::size_t>(std::ranges::count(members_, probedRound_, &Member::roundHeard));
  own_.heard.set(probesHeard_);
  for (Publisher& publisher : producers_) {
    if (publisher.member->number >= plan_.groups) continue;
    const Stamp stamp{.publisher = static_cast<std::uint32_t>(publisher.member->number),
                      .sequence = 0,
                      .sentNs = probedRound_};
    send(*publisher.member, publisher.frame.stamped(stamp));
  }
  own_.probed.store(probedRound_, std::memory_order_release);
}

void Generator::beginCounting() {
  // From here on only messages of the run come, all of one length.
  for (Member& member : members_) {
    member.counting = !member.looks && frameBytes_ != 0;
    if (!member.counting) continue;
    member.countedBytes = member.unread.size();
    countedBytes_ += member.unread.size();
    member.unread.clear();
  }
  nextPulseNs_ = nowNs_ + toNs(plan_.pulse);
}

void Generator::sayAlive() {
  if (nextPulseNs_ == 0) return;
  // One after the other, so that they do not come in a crowd.
  const std::uint64_t intervalNs = std::max<std::uint64_t>(1, toNs(plan_.pulse) / members_.size());
  for (; nextPulseNs_ <= nowNs_; nextPulseNs_ += intervalNs) {
    Member& member = members_[nextToPulse_++ % members_.size()];
    if (member.counting) send(member, pong_);
  }
}

void Generator::beginRun() {
  std::erase_if(producers_, [this](const Publisher& publisher) {
    return publisher.member->number >= plan_.publishers;
  });
  if (producers_.empty()) return;
  if (!plan_.isOpenLoop()) {
    for (Publisher& publisher : producers_) {
      for (std::size_t i = 0; i < plan_.inFlight; ++i) publish(publisher, nowNs_);
      sendOutput(*publisher.member);
    }
    return;
  }
  const double ownRate =
      plan_.rate * static_cast<double>(producers_.size()) / static_cast<double>(plan_.publishers);
  intervalNs_ = static_cast<std::uint64_t>(1e9 / ownRate);
  dueNs_ = nowNs_;
}

void Generator::publishDue() {
  if (intervalNs_ == 0) return;
  // Stamped with the time at which it was due: a generator that was late must not flatter anybody.
  for (const std::uint64_t now = clockNs(); dueNs_ <= now; dueNs_ += intervalNs_) {
    Publisher& publisher = producers_[nextToPublish_++ % producers_.size()];
    publish(publisher, dueNs_);
    sendOutput(*publisher.member);
  }
}

void Generator::publish(Publisher& publisher, std::uint64_t sentNs) {
  const Stamp stamp{.publisher = static_cast<std::uint32_t>(publisher.member->number),
                    .sequence = ++publisher.sequence,
                    .sentNs = sentNs};
  output_ += publisher.frame.stamped(stamp);
  ++published_;
}

void Generator::sendOutput(Member& member) {
  send(member, output_);
  output_.clear();
}

void Generator::judgeMembers() {
  std::uint64_t complete = 0;
  std::uint64_t missing = 0;
  std::uint64_t surplus = strays_;
  for (const Member& member : members_) {
    const std::uint64_t expected = progress_.publishedTo(member.group);
    const std::uint64_t got = messagesOf(member);
    // Who was closed gets nothing more: what it lacks is not waited for.
    if (got == expected || member.state == Member::State::Closed) ++complete;
    if (got < expected) missing += expected - got;
    if (got > expected) surplus += got - expected;
  }
  own_.missing.set(missing);
  own_.surplus.set(surplus);
  own_.complete.set(complete);
}

std::uint64_t Generator::messagesOf(const Member& member) const {
  if (!member.counting) return member.messages;
  // A broken number of messages is one too many: something else came. At the end of a connection
  // it is the server's close frame, or a message that was cut off.
  const bool isClosed = member.state == Member::State::Closed;
  return (member.countedBytes + (isClosed ? 0 : frameBytes_ - 1)) / frameBytes_;
}

}  // namespace stormo::bench
