#include "channel/server/job_admission.h"

#include "sys/log.h"

namespace stormo::channel {

bool JobAdmission::admits(std::string_view queue, std::size_t bytes, std::uint64_t applied) {
  removeApplied(applied);
  if (hasRoom(queue, bytes + JobStore::kJobOverheadBytes)) {
    if (!rejecting_.empty()) rejecting_.erase(std::string(queue));
    return true;
  }
  if (rejecting_.size() < kQueuesMax && rejecting_.emplace(queue).second) {
    log::error(
        "a queue is full and rejects jobs queue=\"{}\" bytes_max={} (add consumers, or raise "
        "queueBytesMax)",
        queue, queueBytesMax_);
  }
  return false;
}

bool JobAdmission::hasRoom(std::string_view queue, std::size_t bytes) const {
  const JobStore& jobs = state_.jobs();
  const auto added = addedBytes_.find(queue);
  const std::size_t used = jobs.bytesOf(queue) + (added == addedBytes_.end() ? 0 : added->second);
  if (used + bytes > queueBytesMax_) return false;
  // A queue of both is counted twice: its jobs in the state may end before the added ones come.
  return used > 0 || jobs.queueCount() + addedBytes_.size() < kQueuesMax;
}

void JobAdmission::added(std::string_view queue, std::size_t bytes, std::uint64_t count) {
  auto entry = addedBytes_.find(queue);
  if (entry == addedBytes_.end()) entry = addedBytes_.emplace(std::string(queue), 0).first;
  const std::size_t counted = bytes + JobStore::kJobOverheadBytes;
  entry->second += counted;
  added_.push({count, counted, &*entry});
}

void JobAdmission::removeApplied(std::uint64_t applied) {
  for (; !added_.empty() && added_.front().count <= applied; added_.pop()) {
    const Added& oldest = added_.front();
    oldest.queue->second -= oldest.bytes;
    if (oldest.queue->second == 0) addedBytes_.erase(addedBytes_.find(oldest.queue->first));
  }
}

}  // namespace stormo::channel
