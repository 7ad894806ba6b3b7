#include "channel/server/job_dispatcher.h"

#include <algorithm>

namespace stormo::channel {

JobDispatcher::Queue& JobDispatcher::queueNamed(std::string_view name) {
  if (const auto found = queues_.find(name); found != queues_.end()) return *found->second;
  auto made = std::make_unique<Queue>();
  made->name = name;
  return *queues_.emplace(std::string(name), std::move(made)).first->second;
}

JobDispatcher::Consumer* JobDispatcher::find(ConsumerId id) {
  const auto found = consumers_.find(id);
  return found == consumers_.end() ? nullptr : &found->second;
}

std::size_t JobDispatcher::jobCount(std::string_view queue) const {
  const auto found = queues_.find(queue);
  return found == queues_.end() ? 0 : found->second->jobs.size();
}

void JobDispatcher::watch(ConsumerId id, std::string_view name) {
  Queue& queue = queueNamed(name);
  Consumer& consumer = consumers_[id];
  if (!queue.watchers.emplace(id, consumer.watched.size()).second) return;
  consumer.watched.push_back(&queue);
  if (consumer.reservations == 0) return;
  while (consumer.reservations > 0 && takeWaitingJob(id, consumer)) --consumer.reservations;
  if (consumer.reservations > 0) {
    standInLine(id, consumer, queue);
  } else {
    consumer.ticket = kNoTicket;
  }
}

void JobDispatcher::unwatch(ConsumerId id, std::string_view name) {
  const auto found = queues_.find(name);
  Consumer* consumer = find(id);
  if (found == queues_.end() || consumer == nullptr) return;
  const auto watch = found->second->watchers.find(id);
  if (watch == found->second->watchers.end()) return;
  Queue* const last = consumer->watched.back();
  consumer->watched[watch->second] = last;
  last->watchers[id] = watch->second;
  consumer->watched.pop_back();
  leave(id, *found->second);
  if (consumer->watched.empty()) consumers_.erase(id);
}

void JobDispatcher::remove(ConsumerId id) {
  auto removed = consumers_.extract(id);
  if (removed.empty()) return;
  for (Queue* queue : removed.mapped().watched) leave(id, *queue);
}

void JobDispatcher::leave(ConsumerId id, Queue& queue) {
  queue.watchers.erase(id);
  std::erase_if(queue.line, [=](const Waiting& waiting) { return waiting.consumer == id; });
  forgetIfIdle(queue);
}

void JobDispatcher::forgetIfIdle(Queue& queue) {
  if (!queue.watchers.empty() || !queue.jobs.empty()) return;
  queues_.erase(queues_.find(queue.name));
}

void JobDispatcher::reserve(ConsumerId id) {
  Consumer* consumer = find(id);
  if (consumer == nullptr) return;
  // A consumer with reservations watches no queue that holds jobs.
  if (consumer->reservations == 0 && takeWaitingJob(id, *consumer)) return;
  if (++consumer->reservations == 1) standInLine(id, *consumer);
}

bool JobDispatcher::reserveFirst(ConsumerId id) {
  Consumer* const consumer = find(id);
  if (consumer == nullptr) return false;
  if (consumer->reservations == 0 && takeWaitingJob(id, *consumer)) return true;
  ++consumer->reservations;
  consumer->ticket = ++lastTicket_;
  for (Queue* queue : consumer->watched) {
    removeStale(*queue);
    queue->line.push_front({id, consumer->ticket});
  }
  return true;
}

bool JobDispatcher::takeWaitingJob(ConsumerId id, Consumer& consumer) {
  const std::size_t count = consumer.watched.size();
  for (std::size_t i = 0; i < count; ++i) {
    Queue& queue = *consumer.watched[(consumer.nextQueue + i) % count];
    if (queue.jobs.empty()) continue;
    consumer.nextQueue = (consumer.nextQueue + i + 1) % count;
    sink_.hand(id, queue.jobs.front(), queue.name);
    queue.jobs.pop_front();
    return true;
  }
  return false;
}

void JobDispatcher::add(std::uint64_t number, std::string_view name) {
  Queue& queue = queueNamed(name);
  if (queue.jobs.empty() && handToWaiting(queue, number)) return;
  queue.jobs.insert(std::ranges::lower_bound(queue.jobs, number), number);
}

void JobDispatcher::taken(std::uint64_t number, std::string_view name) {
  const auto found = queues_.find(name);
  if (found == queues_.end()) return;
  auto& jobs = found->second->jobs;
  const auto job = std::ranges::lower_bound(jobs, number);
  if (job == jobs.end() || *job != number) return;
  jobs.erase(job);
  forgetIfIdle(*found->second);
}

bool JobDispatcher::handToWaiting(Queue& queue, std::uint64_t number) {
  while (!queue.line.empty()) {
    const Waiting first = queue.line.front();
    queue.line.pop_front();
    if (isStale(first)) continue;
    sink_.hand(first.consumer, number, queue.name);
    Consumer& consumer = *find(first.consumer);
    if (--consumer.reservations > 0) {
      standInLine(first.consumer, consumer);
    } else {
      consumer.ticket = kNoTicket;  // its places in other lines are stale
    }
    return true;
  }
  return false;
}

bool JobDispatcher::isStale(const Waiting& waiting) {
  const Consumer* consumer = find(waiting.consumer);
  return consumer == nullptr || consumer->ticket != waiting.ticket;
}

void JobDispatcher::standInLine(ConsumerId id, Consumer& consumer) {
  consumer.ticket = ++lastTicket_;
  for (Queue* queue : consumer.watched) standInLine(id, consumer, *queue);
}

void JobDispatcher::standInLine(ConsumerId id, const Consumer& consumer, Queue& queue) {
  removeStale(queue);
  queue.line.push_back({id, consumer.ticket});
}

// When they are the majority, so that the length of a line follows its number of watchers.
void JobDispatcher::removeStale(Queue& queue) {
  if (queue.line.size() <= 2 * queue.watchers.size() + 16) return;
  std::erase_if(queue.line, [this](const Waiting& waiting) { return isStale(waiting); });
}

}  // namespace stormo::channel
