#include "channel/server/job_store.h"

#include <utility>

namespace stormo::channel {

void JobStore::enqueue(std::uint64_t number, std::string_view queue, std::string_view data) {
  jobs_.emplace(number, Job{.queue = std::string(queue), .data = std::string(data)});
  auto bytes = queueBytes_.find(queue);
  if (bytes == queueBytes_.end()) bytes = queueBytes_.emplace(std::string(queue), 0).first;
  bytes->second += data.size() + kJobOverheadBytes;
}

const JobStore::Job* JobStore::hand(std::uint64_t number, ConsumerId consumer, std::uint64_t lease,
                                    NodeId node) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end() || found->second.consumer != 0) return nullptr;
  found->second.consumer = consumer;
  found->second.lease = lease;
  found->second.node = node;
  leases_.emplace(lease, number);
  return &found->second;
}

JobStore::Jobs::iterator JobStore::heldBy(ConsumerId consumer, std::uint64_t lease) {
  const auto known = leases_.find(lease);
  if (known == leases_.end()) return jobs_.end();
  const auto found = jobs_.find(known->second);
  return found->second.consumer == consumer ? found : jobs_.end();
}

bool JobStore::finish(std::uint64_t lease, ConsumerId consumer) {
  const auto job = heldBy(consumer, lease);
  if (job == jobs_.end()) return false;
  const auto bytes = queueBytes_.find(job->second.queue);
  bytes->second -= job->second.data.size() + kJobOverheadBytes;
  if (bytes->second == 0) queueBytes_.erase(bytes);
  leases_.erase(lease);
  jobs_.erase(job);
  return true;
}

std::uint64_t JobStore::giveBack(std::uint64_t lease, ConsumerId consumer) {
  const auto job = heldBy(consumer, lease);
  if (job == jobs_.end()) return 0;
  letWait(job->second);
  leases_.erase(lease);
  return job->first;
}

std::vector<JobStore::Left> JobStore::giveBackAll(NodeId node) {
  std::vector<Left> all;
  for (auto& [number, job] : jobs_) {
    if (job.consumer == 0 || job.node != node) continue;
    all.push_back({.number = number, .lease = job.lease, .consumer = job.consumer});
    leases_.erase(job.lease);
    letWait(job);
  }
  return all;
}

void JobStore::letWait(Job& job) {
  job.consumer = 0;
  job.lease = 0;
  job.node = 0;
}

const JobStore::Job* JobStore::find(std::uint64_t number) const {
  const auto found = jobs_.find(number);
  return found == jobs_.end() ? nullptr : &found->second;
}

const JobStore::Job* JobStore::held(std::uint64_t lease) const {
  const auto known = leases_.find(lease);
  return known == leases_.end() ? nullptr : find(known->second);
}

std::size_t JobStore::bytesOf(std::string_view queue) const {
  const auto found = queueBytes_.find(queue);
  return found == queueBytes_.end() ? 0 : found->second;
}

void JobStore::save(StateWriter& out) const {
  out.number(jobs_.size());
  for (const auto& [number, job] : jobs_) {
    out.number(number);
    out.bytes(job.queue);
    out.bytes(job.data);
    out.number(job.consumer);
    out.number(job.lease);
    out.number(job.node);
  }
}

void JobStore::restore(StateReader& in) {
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    const std::uint64_t number = in.number();
    const std::string_view queue = in.bytes();
    const std::string_view data = in.bytes();
    enqueue(number, queue, data);
    const ConsumerId consumer = in.number();
    const std::uint64_t lease = in.number();
    const NodeId node = in.number();
    if (consumer != 0) (void)hand(number, consumer, lease, node);
  }
}

}  // namespace stormo::channel
