#include "bench/generator.h"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "protocol/websocket/client_handshake.h"
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
      request_(websocket::UpgradeRequest{.target = plan.target,
                                         .host = plan.host,
                                         .subprotocols = plan.isV1
                                                             ? std::vector<std::string>{"stormo.v1"}
                                                             : std::vector<std::string>{}}
                   .withKey(kKey)),
      accept_(websocket::acceptKey(kKey)),
      input_(kInputBytes),
      records_(plan.tls == nullptr ? 0 : kInputBytes),
      random_(static_cast<std::minstd_rand::result_type>(index + 1)),
      pong_(clientFrame(websocket::Opcode::Pong, "")) {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // in ns; messages of an open loop are due to the microsecond
  members_.reserve(plan.members / plan.processes + 1);  // publishers keep pointers to members
  const std::size_t readingStride = plan.checkAll ? 1 : 100;
  for (std::size_t number = index; number < plan.members; number += plan.processes) {
    Member& member = members_.emplace_back();
    member.number = number;
    member.group = plan.groupOf(number);
    const bool publishes = number < std::max(plan.publishers, plan.groups);
    member.reads = publishes || number % readingStride == 0;
    if (plan.isV1) member.v1 = std::make_unique<V1Session>(number, groupName(member.group));
    if (member.reads) member.last.resize(plan.publishersInGroup());
    // The first member of each group sends its probes, even if it publishes nothing else.
    if (publishes && !plan.publish.empty()) {
      publishers_.push_back(
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
    connectReturning();
    if (progress_.probeRound() != probedRound_) probe();
    publishDue();
    sendPulse();

    if (count < kEventsPerWait) sleepUntil(nextTickNs());
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
    own_.probesReceived.set(probesReceived_);
    if (phase_ == Phase::Drain) countFaults();
  }
}

std::uint64_t Generator::nextTickNs() const {
  const std::uint64_t next = nowNs_ + toNs(plan_.tick);
  return intervalNs_ == 0 ? next : std::min(next, dueNs_);
}

std::uint64_t Generator::delivered() const {
  return readMessages_ + (frameBytes_ == 0 ? 0 : countedBytes_ / frameBytes_);
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
      for (const Publisher& publisher : publishers_) {
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
  // Another process may be ahead, and members here may already have received its probes.
  probesReceived_ =
      static_cast<std::size_t>(std::ranges::count(members_, probedRound_, &Member::roundReceived));
  own_.probesReceived.set(probesReceived_);
  for (Publisher& publisher : publishers_) {
    if (publisher.member->number >= plan_.groups) continue;
    const Stamp stamp{.publisher = static_cast<std::uint32_t>(publisher.member->number),
                      .sequence = 0,
                      .sentNs = probedRound_};
    send(*publisher.member, frameOf(publisher, stamp));
  }
  own_.probed.store(probedRound_, std::memory_order_release);
}

void Generator::beginCounting() {
  // From now on only messages of the run arrive, all of one length.
  for (Member& member : members_) {
    member.counting = !member.reads && frameBytes_ != 0;
    if (!member.counting) continue;
    member.countedBytes = member.unread.size();
    countedBytes_ += member.unread.size();
    member.unread.clear();
  }
  nextPulseNs_ = nowNs_ + toNs(plan_.pulse);
}

void Generator::sendPulse() {
  if (nextPulseNs_ == 0) return;
  // Spread over the interval, so that the pongs do not arrive in a burst.
  const std::uint64_t intervalNs = std::max<std::uint64_t>(1, toNs(plan_.pulse) / members_.size());
  for (; nextPulseNs_ <= nowNs_; nextPulseNs_ += intervalNs) {
    Member& member = members_[nextToPulse_++ % members_.size()];
    if (member.counting) send(member, pong_);
  }
}

void Generator::beginRun() {
  std::erase_if(publishers_, [this](const Publisher& publisher) {
    return publisher.member->number >= plan_.publishers;
  });
  if (publishers_.empty()) return;
  if (!plan_.isOpenLoop()) {
    for (Publisher& publisher : publishers_) {
      for (std::size_t i = 0; i < plan_.inFlight; ++i) publish(publisher, nowNs_);
      sendOutput(*publisher.member);
    }
    return;
  }
  const double ownRate =
      plan_.rate * static_cast<double>(publishers_.size()) / static_cast<double>(plan_.publishers);
  intervalNs_ = static_cast<std::uint64_t>(1e9 / ownRate);
  dueNs_ = nowNs_;
}

void Generator::publishDue() {
  if (intervalNs_ == 0) return;
  // Stamped with the due time, so that a late generator does not make the latency look better.
  for (const std::uint64_t now = clockNs(); dueNs_ <= now; dueNs_ += intervalNs_) {
    Publisher& publisher = publishers_[nextToPublish_++ % publishers_.size()];
    publish(publisher, dueNs_);
    sendOutput(*publisher.member);
  }
}

void Generator::publish(Publisher& publisher, std::uint64_t sentNs) {
  const Stamp stamp{.publisher = static_cast<std::uint32_t>(publisher.member->number),
                    .sequence = ++publisher.sequence,
                    .sentNs = sentNs};
  output_ += frameOf(publisher, stamp);
  ++published_;
}

std::string_view Generator::frameOf(Publisher& publisher, const Stamp& stamp) {
  if (publisher.member->v1 == nullptr) return publisher.frame.stamped(stamp);
  std::string message(plan_.messageBytes, 'x');
  writeStamp(stamp, message.data());
  return publisher.member->v1->send(message);
}

void Generator::sendOutput(Member& member) {
  // What a member of stormo.v1 sends without a connection, its session sends on the next one.
  const bool isConnected =
      member.state == Member::State::Greeting || member.state == Member::State::Joined;
  if (isConnected) send(member, output_);
  output_.clear();
}

void Generator::countFaults() {
  std::uint64_t complete = 0;
  std::uint64_t missing = 0;
  std::uint64_t surplus = foreignMessages_;
  for (const Member& member : members_) {
    const std::uint64_t expected = progress_.publishedTo(member.group);
    const std::uint64_t got = messagesOf(member);
    // A closed member receives nothing more, so its missing messages are not awaited.
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
  // A remainder of bytes counts as one surplus message. At the end of a connection the remainder is
  // the server's close frame, or an incomplete message.
  const bool isClosed = member.state == Member::State::Closed;
  return (member.countedBytes + (isClosed ? 0 : frameBytes_ - 1)) / frameBytes_;
}

}  // namespace stormo::bench
