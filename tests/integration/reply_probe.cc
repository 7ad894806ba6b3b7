#include "integration/reply_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace stormo::integration {

using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kInterval{10};

}  // namespace

void ReplyProbe::advance() {
  if (!isBegun_ || clients_[id_].isClosed()) {
    id_ = clients_.begin("/", "Sec-WebSocket-Protocol: stormo.v1\r\n");
    isBegun_ = true;
    isWaiting_ = false;
  }
  if (!clients_[id_].isOpen()) return;
  if (!isWaiting_) {
    if (steady_clock::now() - sentAt_ >= kInterval) send();
    return;
  }
  if (clients_[id_].received.empty()) return;
  const std::string reply = clients_[id_].received.front().data;
  if (reply.find(fmt::format(R"("id":{},"ok":true)", number_)) == std::string::npos) {
    throw std::runtime_error("a send was rejected: " + reply);
  }
  times_.push_back(duration_cast<microseconds>(steady_clock::now() - sentAt_));
  clients_.clear(id_);
  isWaiting_ = false;
}

void ReplyProbe::send() {
  clients_.send(
      id_, fmt::format(R"({{"id":{},"cmd":"send","group":"probe","message":"m"}})", ++number_));
  sentAt_ = steady_clock::now();
  isWaiting_ = true;
}

microseconds ReplyProbe::medianTime() const {
  std::vector<microseconds> times = times_;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

}  // namespace stormo::integration
