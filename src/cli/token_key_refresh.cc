#include "cli/token_key_refresh.h"

#include <stormo/run_blocking.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <random>
#include <utility>

#include "sys/log.h"

namespace stormo::cli {
namespace {

// Tokens with invented keys make a worker look at the copy at most so often.
constexpr std::chrono::seconds kUrgentInterval{1};

std::int64_t secondsUntil(std::int64_t time) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return time - std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

TokenKeyRefresh::TokenKeyRefresh(TokenKeyFetch fetch, GroupServer& server)
    : fetch_(std::move(fetch)), server_(server) {
  server_.onUnknownKey = [this] { return onUnknownKey(); };
}

bool TokenKeyRefresh::onUnknownKey() {
  if (isLooking_) return true;
  if (EventLoop::current().now() - lastLook_ < kUrgentInterval) return false;
  look(true);
  return isLooking_;
}

void TokenKeyRefresh::look(bool isUrgent) {
  if (isLooking_) return;
  if (next_ != 0) Timer::cancel(std::exchange(next_, 0));
  lastLook_ = EventLoop::current().now();
  const BlockingStatus status =
      runBlocking([fetch = fetch_, isUrgent] { return lookForKeys(fetch, isUrgent); },
                  [this](const FoundKeys& found) { onFound(found); },
                  [this](const std::exception& failed) { onFound({.problem = failed.what()}); });
  isLooking_ = status == BlockingStatus::Accepted;
  if (!isLooking_) lookAfter(retrySeconds(fetch_, !keySet_.empty()));
}

void TokenKeyRefresh::onFound(const FoundKeys& found) {
  isLooking_ = false;
  lastLook_ = EventLoop::current().now();
  report(found);
  const std::int64_t fresh = found.keys ? secondsUntil(found.keys->freshUntil) : 0;
  lookAfter(fresh > 0 ? fresh : retrySeconds(fetch_, found.keys.has_value()));
  found.keys&& found.keys->keySet != keySet_ ? use(*found.keys) : server_.keepKeys();
}

void TokenKeyRefresh::use(const FetchedKeys& keys) {
  const bool isFirst = keySet_.empty();
  keySet_ = keys.keySet;
  if (!isFirst) log::info("the keys of tokens were exchanged url={}", fetch_.request.url);
  server_.setKeys({{.keySet = keySet_}});
}

void TokenKeyRefresh::report(const FoundKeys& found) {
  if (found.isFetched && !found.problem.empty()) {
    return log::warning(
        "the keys of tokens were fetched, but a start without the network will not "
        "have them reason=\"{}\"",
        found.problem);
  }
  if (found.problem.empty()) {
    if (found.isFetched && !std::exchange(lastProblem_, {}).empty()) {
      log::info("the keys of tokens can be fetched again url={}", fetch_.request.url);
    }
    return;
  }
  if (std::exchange(lastProblem_, found.problem) == found.problem) return;  // it was logged
  const bool hasKeys = found.keys.has_value() || !keySet_.empty();
  log::write(hasKeys ? log::Level::Warning : log::Level::Error,
             "cannot fetch the keys of tokens url={} reason=\"{}\" ({})",
             fmt::make_format_args(
                 fetch_.request.url, found.problem,
                 hasKeys ? "the earlier keys stay in use" : "no token is accepted until it can"));
}

/// A little later, and not all workers at once.
void TokenKeyRefresh::lookAfter(std::int64_t seconds) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const std::int64_t ms = seconds * 1000;
  const std::int64_t jitter =
      std::uniform_int_distribution<std::int64_t>(1, std::max<std::int64_t>(ms / 10, 100))(random);
  next_ = Timer::once(std::chrono::milliseconds(ms + jitter), [this] {
    next_ = 0;
    look(false);
  });
}

}  // namespace stormo::cli
