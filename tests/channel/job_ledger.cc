#include "channel/job_ledger.h"

#include <algorithm>
#include <cstdlib>

namespace stormo::channel {
namespace {

std::size_t numberIn(std::string_view text) {
  return std::strtoull(std::string(text).c_str(), nullptr, 10);
}

}  // namespace

std::string JobLedger::enqueue(std::size_t participant, std::size_t queue, std::uint64_t sequence) {
  jobs_.push_back({.enqueuer = participant, .queue = queue, .sequence = sequence});
  return std::to_string(jobs_.size() - 1);
}

void JobLedger::receive(std::size_t participant, std::uint64_t epoch, std::string_view queue,
                        std::string_view text) {
  const std::size_t number = numberIn(text);
  const std::string name = "job " + std::string(text);
  if (number >= jobs_.size()) {
    error_ += name + " was never enqueued\n";
    return;
  }
  Job& job = jobs_[number];
  if (std::to_string(job.queue) != queue) error_ += name + " came from the wrong queue\n";
  if (job.holder && job.epoch == epoch && !job.mayComeTwice) {
    error_ += name + " was handed to participant " + std::to_string(participant) +
              ", but participant " + std::to_string(*job.holder) + " has it\n";
  }
  job.holder = participant;
  job.epoch = epoch;
  job.finishSequence = 0;
  ++job.received;
  if (job.queue == 0) order_.push_back(number);
}

void JobLedger::finish(std::string_view text, std::uint64_t sequence) {
  Job& job = jobs_[numberIn(text)];
  job.finishSequence = sequence;
  job.isDone = true;
}

void JobLedger::giveBack(std::string_view text) { jobs_[numberIn(text)].holder.reset(); }

void JobLedger::end(std::size_t participant, std::uint64_t sequence) {
  acknowledge(participant, sequence);
  for (Job& job : jobs_) {
    const bool isReported = job.finishSequence != 0 && job.finishSequence <= sequence;
    if (job.holder == participant && !isReported) job.holder.reset();
  }
}

void JobLedger::acknowledge(std::size_t participant, std::uint64_t sequence) {
  for (Job& job : jobs_) {
    if (job.enqueuer == participant && job.sequence <= sequence) job.isAcknowledged = true;
  }
}

void JobLedger::noteDurable() {
  for (Job& job : jobs_) job.isDurable |= job.isAcknowledged && !job.mayBeLost;
}

void JobLedger::loseRecords() {
  for (Job& job : jobs_) {
    job.mayBeLost |= !job.isDurable;
    job.mayComeTwice = true;
  }
}

std::string JobLedger::error(bool isCalm) const {
  std::string error = error_;
  for (std::size_t number = 0; number < jobs_.size(); ++number) {
    const Job& job = jobs_[number];
    const std::string name = "job " + std::to_string(number);
    if (job.isAcknowledged && !job.mayBeLost && !job.isDone) {
      error += name + " was acknowledged, and not done\n";
    }
    if (isCalm && job.received != 1) {
      error += name + " was received " + std::to_string(job.received) + " times\n";
    }
  }
  if (!isCalm) return error;
  std::map<std::size_t, std::size_t> last;  // by enqueuer
  for (const std::size_t number : order_) {
    const auto [before, isFirst] = last.try_emplace(jobs_[number].enqueuer, number);
    if (!isFirst && before->second >= number) {
      error += "job " + std::to_string(number) + " came after a later one of its sender\n";
    }
    before->second = number;
  }
  return error;
}

std::size_t JobLedger::doneCount() const {
  return static_cast<std::size_t>(std::ranges::count(jobs_, true, &Job::isDone));
}

}  // namespace stormo::channel
