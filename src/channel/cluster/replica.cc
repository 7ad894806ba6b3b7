#include "channel/cluster/replica.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace stormo::channel {
namespace {

constexpr std::uint64_t kRunMessagesMax = 256;

}  // namespace

// --- Snapshots ---

void Replica::save(StateWriter& out) const {
  out.number(stream_);
  out.number(sequence_);
  out.bytes(latest_);
  out.number(epoch_);
  out.number(offset_);
  nodes_.save(out);
  out.number(runs_.size());
  for (const Run& run : runs_) {
    out.number(run.first);
    out.number(run.last);
    out.number(run.offset);
    out.number(run.isWhole ? 1 : 0);
  }
  state_.save(out);
}

bool Replica::restore(StateReader& in) {
  stream_ = in.number();
  sequence_ = restored_ = in.number();
  latest_ = in.bytes();
  epoch_ = in.number();
  offset_ = in.number();
  nodes_.restore(in);
  for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
    runs_.push_back({.first = in.number(),
                     .last = in.number(),
                     .offset = in.number(),
                     .isWhole = in.number() != 0});
  }
  if (in.ok() && state_.restore(in)) return true;
  stream_ = epoch_ = sequence_ = restored_ = offset_ = 0;
  latest_.clear();
  nodes_ = {};
  runs_.clear();
  return false;
}

void Replica::begin(std::uint64_t stream) {
  stream_ = stream;
  if (epoch_ == 0) epoch_ = stream;
  state_.begin(epoch_);
}

std::uint64_t Replica::readFrom() const {
  const std::uint64_t latest = std::max<std::uint64_t>(sequence_, 1);
  if (state_.recallFrom() > offset_ || runs_.empty()) return latest;
  return std::min(latest, runs_.front().first);
}

// --- Messages ---

Replica::Taken Replica::take(std::uint64_t sequence, std::string_view message,
                             const BatchRead& read) {
  Taken taken{.read = read};
  if (sequence <= restored_) {
    recall(sequence, taken.read);
    taken.isRecalled = true;
    return taken;
  }
  STORMO_ASSERT(sequence > sequence_);
  if (taken.read.verdict == BatchVerdict::Newer) return taken;
  sequence_ = sequence;
  latest_ = message.substr(0, kBatchHeaderBytes);
  if (taken.read.verdict != BatchVerdict::Ok) return taken;
  const Batch& batch = taken.read.batch;
  addToRun(sequence);
  taken.verdict = nodes_.take(batch, sequence);
  if (taken.verdict != Nodes::Verdict::Counts) {
    if (runs_.back().last-- == runs_.back().first) runs_.pop_back();
    return taken;
  }
  act(batch);
  return taken;
}

void Replica::act(const Batch& batch) {
  if (batch.kind == BatchKind::Records) return applyRecords(batch);
  if (batch.kind == BatchKind::Epoch) return beginEpoch(static_cast<EpochBegin>(batch.body[0]));
  if (batch.kind != BatchKind::Gone) return;
  const GoneNode gone = goneIn(batch.body);
  if (nodes_.hasEnded(gone, sequence_)) state_.nodeGone(gone.node);
}

void Replica::beginEpoch(EpochBegin begin) {
  if (begin == EpochBegin::Empty) {
    state_.reset();
    nodes_ = {};
    runs_.clear();
    offset_ = 0;
  }
  // The same on all nodes, and another one for each such message.
  epoch_ = (stream_ + sequence_ * 0x9e3779b97f4a7c15u) | 1;
  state_.begin(epoch_);
}

void Replica::applyRecords(const Batch& batch) {
  const std::string_view records = nodes_.recordsOf(batch);
  const auto count = countCheckedRecords(records);
  if (!count || *count == 0) return;
  const std::uint64_t first = offset_ + 1;
  offset_ += *count;
  state_.apply(first, records, batch.node);
  forgetRuns();
}

// --- What the state needs once more ---

void Replica::addToRun(std::uint64_t sequence) {
  const bool joins = !runs_.empty() && runs_.back().last + 1 == sequence &&
                     runs_.back().last + 1 - runs_.back().first < kRunMessagesMax;
  if (joins) {
    runs_.back().last = sequence;
  } else {
    runs_.push_back({.first = sequence,
                     .last = sequence,
                     .offset = offset_ + 1,
                     .isWhole = !nodes_.hasParts()});
  }
}

void Replica::forgetRuns() {
  const std::uint64_t needed = std::min(state_.recallFrom(), offset_ + 1);
  while (runs_.size() > 1) {
    const auto next = std::ranges::find(std::next(runs_.begin()), runs_.end(), true, &Run::isWhole);
    if (next == runs_.end() || next->offset > needed) return;
    runs_.erase(runs_.begin(), next);
  }
}

void Replica::recall(std::uint64_t sequence, const BatchRead& read) {
  while (recalledRuns_ < runs_.size() && runs_[recalledRuns_].last < sequence) ++recalledRuns_;
  if (recalledRuns_ == runs_.size() || read.verdict != BatchVerdict::Ok) return;
  const Run& run = runs_[recalledRuns_];
  if (sequence < run.first) return;  // it did not count
  if (sequence == run.first && (run.isWhole || recallOffset_ != 0)) recallOffset_ = run.offset;
  if (recallOffset_ == 0) return;  // the beginning is lost
  std::string& part = recalledParts_[read.batch.node];
  if (read.batch.kind == BatchKind::Start) part.clear();
  if (read.batch.kind == BatchKind::Part) appendPart(read.batch.body, part);
  if (read.batch.kind != BatchKind::Records) return;
  const std::string records = std::exchange(part, {}).append(read.batch.body);
  const auto count = countCheckedRecords(records);
  if (!count || *count == 0) return;
  state_.recall(recallOffset_, records);
  recallOffset_ += *count;
}

}  // namespace stormo::channel
