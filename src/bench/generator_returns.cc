// Members of stormo.v1, whose connections end and are made again.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "bench/generator.h"

namespace stormo::bench {
namespace {

/// As stormo.js after 1012: up to twice its retryMin.
constexpr std::uint64_t kReturnWithinNs = 500'000'000;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

void Generator::comeBack(Member& member, std::string_view why) {
  // Refused on its way back: counted, as no server should refuse a client of another process.
  if (member.state == Member::State::Handshake) {
    --handshaking_;
    own_.refused.add();
    own_.firstFault.set(why);
  }
  member.state = Member::State::Away;
  member.fd.reset();
  member.unread.clear();
  member.unsent.clear();
  const std::uint64_t wait =
      std::uniform_int_distribution<std::uint64_t>(0, kReturnWithinNs)(random_);
  returns_.emplace(nowNs_ + wait, &member);
}

void Generator::connectReturning() {
  while (!returns_.empty() && returns_.begin()->first <= nowNs_) {
    Member& member = *returns_.begin()->second;
    returns_.erase(returns_.begin());
    connect(member);
  }
}

void Generator::onReturned(Member& member) {
  member.state = Member::State::Joined;
  own_.returned.add();
  if (measureBeganNs_ == 0 || nowNs_ < measureBeganNs_) return;
  const std::size_t second = (nowNs_ - measureBeganNs_) / kNsPerSecond;
  if (second < own_.returnedInSecond.size()) own_.returnedInSecond[second].add();
}

void Generator::onV1Text(Member& member, const websocket::ServerFrame& frame) {
  switch (member.v1->onText(frame.payload)) {
    case V1Session::Text::Gap:
      own_.firstFault.set(
          fmt::format("member {} missed messages: {}", member.number, frame.payload));
      [[fallthrough]];
    case V1Session::Text::Joined:
      if (member.state != Member::State::Greeting) return;
      if (!std::exchange(member.hasJoined, true)) {
        member.state = Member::State::Joined;
        return own_.open.add();
      }
      return onReturned(member);
    case V1Session::Text::Rejected:
      return own_.firstFault.set(fmt::format("the server rejected: {}", frame.payload));
    default:
      return;
  }
}

}  // namespace stormo::bench
