#include <stormo/event_loop.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <stdexcept>
#include <system_error>

#include "base/assert.h"
#include "event/call_handler.h"
#include "event/loop_impl.h"

namespace stormo {
namespace {

thread_local EventLoop* currentLoop = nullptr;

constexpr LoopImpl::Tag kWatchTag = 0;

std::uint64_t word(LoopImpl::Tag tag, Handle id) {
  return (std::uint64_t{tag} << 56) | id.packed();
}

}  // namespace

LoopImpl::LoopImpl() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  sinks_[kWatchTag] = this;
  watch(inbox_->fd(), EPOLLIN, [](std::uint32_t) {});  // wakes the loop; turn() takes the tasks
}

LoopImpl::Tag LoopImpl::addSink(EventSink& sink) {
  const auto free = std::find(sinks_.begin(), sinks_.end(), nullptr);
  STORMO_ASSERT(free != sinks_.end());
  *free = &sink;
  return static_cast<Tag>(free - sinks_.begin());
}

void LoopImpl::removeSink(Tag tag) { sinks_[tag] = nullptr; }

Result<void> LoopImpl::control(int operation, int fd, std::uint32_t events, Tag tag, Handle id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = word(tag, id);
  const bool refused = watchError_ != 0 || ::epoll_ctl(epoll_.get(), operation, fd, &event) < 0;
  if (!refused) return {};
  const int error = watchError_ != 0 ? watchError_ : errno;
  return Error{std::error_code(error, std::generic_category()), "epoll_ctl"};
}

Result<void> LoopImpl::add(int fd, std::uint32_t events, Tag tag, Handle id) {
  return control(EPOLL_CTL_ADD, fd, events, tag, id);
}

Result<void> LoopImpl::modify(int fd, std::uint32_t events, Tag tag, Handle id) {
  return control(EPOLL_CTL_MOD, fd, events, tag, id);
}

void LoopImpl::remove(int fd) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void LoopImpl::install(std::unique_ptr<TurnWork> work) {
  STORMO_ASSERT(turnWork_ == nullptr);
  turnWork_ = std::move(work);
}

int LoopImpl::waitMilliseconds(Duration wait) const {
  if (hasWork_ || !deferred_.empty()) return 0;
  if (wait == Duration::max()) return -1;
  // Rounded up: waking before a deadline would spin until then.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(wait).count();
  return static_cast<int>(std::clamp<std::int64_t>(ms, 0, std::numeric_limits<int>::max()));
}

void LoopImpl::turn(Duration wait) {
  STORMO_ASSERT(!inTurn_);  // a handler must not turn the loop that has called it
  inTurn_ = true;
  if (const auto deadline = timers.next()) {
    const auto untilTimer = std::max(*deadline - readClock(), Duration::zero());
    wait = std::min(wait, untilTimer);
  }
  receive(waitMilliseconds(wait));
  now = readClock();
  // Tasks that handlers defer from here on run in the next turn.
  std::vector<std::function<void()>> tasks = std::move(spareTasks_);
  tasks.swap(deferred_);
  inbox_->takeInto(tasks);
  dispatch();
  if (turnWork_ != nullptr) turnWork_->onDispatched();
  for (const auto& task : tasks) countThrown(callHandler("deferred", task) ? 0 : 1);
  tasks.clear();
  spareTasks_ = std::move(tasks);
  countThrown(timers.fire(now));
  hasWork_ = false;  // all that was requested until now is done in onTurnEnd()
  if (turnWork_ != nullptr) turnWork_->onTurnEnd();

  counters().turns.add();
  counters().timers.set(timers.size());
  inTurn_ = false;
}

void LoopImpl::receive(int waitMs) {
  const int count = ::epoll_wait(epoll_.get(), ready_.data(), kEventsPerWait, waitMs);
  STORMO_ASSERT(count >= 0 || errno == EINTR);  // any other error is a bug
  readyCount_ = static_cast<std::size_t>(std::max(count, 0));
}

void LoopImpl::dispatch() {
  for (std::size_t i = 0; i < readyCount_; ++i) {
    const std::uint64_t data = ready_[i].data.u64;
    EventSink* sink = sinks_[data >> 56];
    if (sink != nullptr) sink->onReady(Handle::unpack(data), ready_[i].events);
  }
}

void LoopImpl::dispatchArrived() {
  receive(0);
  dispatch();
}

void LoopImpl::countThrown(std::size_t handlers) {
  if (handlers > 0) counters().handlerErrors.add(handlers);
}

EventLoop::WatchId LoopImpl::watch(int fd, std::uint32_t events,
                                   std::function<void(std::uint32_t)> onReady) {
  const Handle id = watches_.create(fd, std::move(onReady)).id;
  if (const auto added = add(fd, events, kWatchTag, id); !added) {
    watches_.destroy(id);
    throw std::system_error(added.error().code, added.error().step);
  }
  return id.packed();
}

void LoopImpl::rewatch(WatchId id, std::uint32_t events) {
  const Handle slot = Handle::unpack(id);
  const Watch* watched = watches_.find(slot);
  if (watched == nullptr)
    throw std::invalid_argument("EventLoop::rewatch() of what is not watched");
  if (const auto modified = modify(watched->fd, events, kWatchTag, slot); !modified) {
    throw std::system_error(modified.error().code, modified.error().step);
  }
}

void LoopImpl::unwatch(WatchId id) {
  const Handle slot = Handle::unpack(id);
  const Watch* watched = watches_.find(slot);
  if (watched == nullptr) return;
  remove(watched->fd);
  watches_.destroy(slot);
}

void LoopImpl::onReady(Handle id, std::uint32_t events) {
  Watch* watched = watches_.find(id);
  if (watched == nullptr) return;  // unwatched earlier in this turn
  // Moved out while it runs: the handler may unwatch itself.
  auto handler = std::move(watched->onReady);
  countThrown(callHandler("watch", handler, events) ? 0 : 1);
  if (Watch* still = watches_.find(id)) still->onReady = std::move(handler);
}

void LoopImpl::clear() {
  lifetime_.reset();
  turnWork_.reset();
  inbox_->close();
  deferred_.clear();
  timers.clear();
  watches_.forEach([this](const Watch& watched) { watches_.destroy(watched.id); });
}

EventLoop::EventLoop() : impl_(std::make_unique<LoopImpl>()) {
  STORMO_ASSERT(currentLoop == nullptr);
  currentLoop = this;
}

EventLoop::~EventLoop() {
  // While current() still finds the loop: what is destroyed here may cancel timers and unwatch.
  impl_->clear();
  currentLoop = nullptr;
}

LoopImpl& LoopImpl::of(EventLoop& loop) { return *loop.impl_; }
LoopImpl& LoopImpl::current() { return of(EventLoop::current()); }

EventLoop& EventLoop::current() {
  STORMO_ASSERT(currentLoop != nullptr);
  return *currentLoop;
}

EventLoop* EventLoop::currentOrNull() { return currentLoop; }

void EventLoop::run() {
  impl_->stopped = false;
  while (!impl_->stopped) impl_->turn(Duration::max());
}

void EventLoop::turn(Duration wait) { impl_->turn(wait); }
void EventLoop::stop() { impl_->stopped = true; }
EventLoop::TimePoint EventLoop::now() const { return impl_->now; }

EventLoop::WatchId EventLoop::watch(int fd, std::uint32_t events,
                                    std::function<void(std::uint32_t)> onReady) {
  return impl_->watch(fd, events, std::move(onReady));
}
void EventLoop::rewatch(WatchId id, std::uint32_t events) { impl_->rewatch(id, events); }
void EventLoop::unwatch(WatchId id) { impl_->unwatch(id); }
void EventLoop::defer(std::function<void()> task) {
  STORMO_ASSERT(currentLoop == this);  // of another thread: see post()
  impl_->defer(std::move(task));
}

void EventLoop::post(std::function<void()> task) { impl_->inbox()->post(std::move(task)); }
EventLoop::Handle EventLoop::handle() const { return Handle(impl_->inbox()); }
bool EventLoop::Handle::post(std::function<void()> task) const {
  return inbox_->post(std::move(task));
}

}  // namespace stormo
