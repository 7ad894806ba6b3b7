#include <stormo/channel/job.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/assert.h"
#include "channel/client/client_link.h"
#include "channel/client/job_desk.h"
#include "event/process_life.h"
#include "sys/log.h"

namespace stormo::channel {

struct Job::State {
  State(std::weak_ptr<JobDesk> from, std::weak_ptr<const JobDesk::Handler> by, std::uint64_t of,
        std::string_view queueName, const Value& value)
      : desk(std::move(from)), handler(std::move(by)), number(of), queue(queueName), data(value) {
    unfinished.set(true);
  }

  std::weak_ptr<JobDesk> desk;
  std::weak_ptr<const JobDesk::Handler> handler;  // that took it
  std::uint64_t number;
  std::string queue;
  Value data;
  UnfinishedWork unfinished;
  int exceptions = std::uncaught_exceptions();
};

Job::Job(std::unique_ptr<State> state) : state_(std::move(state)) {}
Job::Job(Job&& other) noexcept = default;

Job& Job::operator=(Job&& other) noexcept {
  Job(std::move(other)).state_.swap(state_);
  return *this;
}

Job::~Job() {
  if (state_ == nullptr) return;
  if (std::uncaught_exceptions() <= state_->exceptions) {
    giveBack();
  } else {
    log::error("a job was dropped: its handler threw queue=\"{}\"", state_->queue);
    done();
  }
}

const Value& Job::data() const {
  STORMO_ASSERT(state_ != nullptr);
  return state_->data;
}

const std::string& Job::queue() const {
  STORMO_ASSERT(state_ != nullptr);
  return state_->queue;
}

void Job::done() {
  STORMO_ASSERT(state_ != nullptr);
  const auto ended = std::move(state_);
  if (const auto desk = ended->desk.lock()) {
    desk->finish(ended->number);
    desk->requestNext(ended->handler);
  }
}

void Job::giveBack() {
  STORMO_ASSERT(state_ != nullptr);
  const auto ended = std::move(state_);
  if (const auto desk = ended->desk.lock()) {
    desk->giveBack(ended->number, ended->queue, ended->data);
    desk->requestNext(ended->handler);
  } else {
    log::error("a job was lost: its Channel object is destroyed queue=\"{}\"", ended->queue);
  }
}

void JobDesk::use(ClientLink* link) {
  link_ = link;
  if (link_ == nullptr) return;
  std::vector<std::string> queues;
  for (const auto& [queue, taker] : takers_) queues.push_back(queue);
  if (!queues.empty()) link_->watch(queues);
  for (; owed_ > 0; --owed_) link_->reserve();
}

void JobDesk::watch(const std::vector<std::string>& queues, Handler handler, std::size_t atOnce) {
  const Taker taker{std::make_shared<const Handler>(std::move(handler)), atOnce > 0};
  for (const std::string& queue : queues) takers_.insert_or_assign(queue, taker);
  if (link_ == nullptr) {
    owed_ += atOnce;
    return;
  }
  link_->watch(queues);
  for (std::size_t i = 0; i < atOnce; ++i) link_->reserve();
}

void JobDesk::unwatch(const std::vector<std::string>& queues) {
  for (const std::string& queue : queues) takers_.erase(queue);
  if (takers_.empty()) owed_ = 0;
  if (link_ != nullptr) link_->unwatch(queues);
}

void JobDesk::onJob(std::uint64_t number, std::string_view queue, const Value& data) {
  const auto found = takers_.find(queue);
  if (found == takers_.end()) {
    // Unwatched while the job was on its way, which used up a reservation of the other queues.
    giveBack(number, queue, data);
    const auto asks = [](const auto& entry) { return entry.second.asksForNext; };
    if (std::ranges::any_of(takers_, asks)) link_->reserve();
    return;
  }
  const std::shared_ptr<const Handler> handler = found->second.handler;
  Job job(std::make_unique<Job::State>(weak_from_this(), handler, number, queue, data));
  if (*handler) (*handler)(std::move(job));
}

void JobDesk::requestNext(const std::weak_ptr<const Handler>& handler) {
  const auto taken = handler.lock();
  const auto asks = [&](const auto& entry) {
    return entry.second.asksForNext && entry.second.handler == taken;
  };
  if (link_ != nullptr && std::ranges::any_of(takers_, asks)) link_->reserve();
}

void JobDesk::finish(std::uint64_t number) {
  if (link_ != nullptr) link_->dialect().finishJob(number);
}

void JobDesk::giveBack(std::uint64_t number, std::string_view queue, const Value& data) {
  if (link_ != nullptr && link_->dialect().giveBackJob(number, queue, data)) return;
  log::error("a job was lost: the Channel does not take it back queue=\"{}\"", queue);
}

}  // namespace stormo::channel
