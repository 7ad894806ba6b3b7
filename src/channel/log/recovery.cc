#include "channel/log/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "channel/log/offset_name.h"
#include "channel/log/segment.h"
#include "channel/log/snapshot_file.h"
#include "sys/log.h"

namespace stormo::channel {
namespace {

constexpr const char* kOfClusterStep =
    "the directory is that of a node of a cluster, and this Channel has none (channel.log-dir)";
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

const char* textOf(RecordVerdict verdict) {
  return verdict == RecordVerdict::Incomplete ? "a record is incomplete" : "a record is damaged";
}

}  // namespace

Result<Recovered> Recovery::run() {
  const auto boot = directory_.bootId();
  if (!boot) return boot.error();
  found_.boot = boot.value();
  if (const auto done = readDirectory(); !done) return done.error();
  if (const auto done = readOwnMark(); !done) return done.error();
  if (const auto done = readSegmentHeaders(); !done) return done.error();
  if (const auto done = restoreSnapshot(); !done) return done.error();
  if (const auto done = recallSegments(); !done) return done.error();
  if (const auto done = applySegments(); !done) return done.error();
  found_.offset = next_ - 1;
  found_.newEpochReason = newEpochReason();
  if (found_.newEpochReason.empty()) found_.epoch = mark_->epoch;  // also if no segment is left
  found_.mustCopyFrom = mark_ ? mark_->syncFrom : 0;
  found_.isSynced = mark_ && mark_->clean && !isChanged_ && found_.mustCopyFrom == 0;
  logEnd();
  return std::move(found_);
}

Result<void> Recovery::readDirectory() {
  auto entries = directory_.list();
  if (!entries) return entries.error();
  for (const auto& [name, bytes] : *entries) {
    if (name.ends_with(kTemporaryEnding)) {
      if (const auto removed = directory_.remove(name); !removed) return removed;
    } else if (const auto first = offsetOfSegmentName(name)) {
      segments_.push_back({*first, name, bytes});
    } else if (const auto offset = offsetOfSnapshotName(name)) {
      snapshots_.push_back({*offset, name, bytes});
    } else if (name == kMarkName) {
      found_.hasMark = true;
    } else if (name == kNodeName) {
      return Error{std::make_error_code(std::errc::file_exists), kOfClusterStep};
    }
  }
  std::ranges::sort(segments_, {}, &File::offset);
  std::ranges::sort(snapshots_, std::ranges::greater{}, &File::offset);
  found_.isEmpty = segments_.empty() && snapshots_.empty() && !found_.hasMark;
  return {};
}

Result<void> Recovery::readOwnMark() {
  if (!found_.hasMark) return {};
  const auto content = directory_.read(kMarkName);
  if (!content) return content.error();
  mark_ = readMark(content.value().bytes());
  isMarkOwn_ = mark_ && mark_->identity == content.value().identity();
  return {};
}

Result<void> Recovery::readSegmentHeaders() {
  std::uint64_t committed = 0;
  std::vector<File> valid;
  std::vector<File> invalid;
  for (File& file : segments_) {
    const auto content = directory_.read(file.name);
    if (!content) return content.error();
    const auto header = readSegmentHeader(content.value().bytes());
    const bool isValid = header && header->first == file.offset;
    if (isValid) {
      committed = std::max(committed, header->committed);
      file.epoch = header->epoch;
    }
    (isValid ? valid : invalid).push_back(std::move(file));
  }
  segments_ = std::move(valid);
  if (const auto raised = raiseOwnMark(committed); !raised) return raised;
  for (const File& file : invalid) {
    log::warning(
        "a segment of the log without a valid header was discarded directory=\"{}\" "
        "file={} bytes={}",
        directory_.path(), file.name, file.bytes);
    if (const auto removed = remove(file); !removed) return removed;
  }
  return {};
}

Result<void> Recovery::raiseOwnMark(std::uint64_t offset) {
  if (!isMarkOwn_ || offset <= mark_->offset) return {};
  mark_->offset = offset;
  const auto file = directory_.open(kMarkName);
  return file ? raiseMark(*file.value(), offset) : file.error();
}

Result<void> Recovery::restoreSnapshot() {
  for (const File& file : snapshots_) {
    if (found_.snapshotBytes > 0) {  // an older one than that restored
      if (const auto removed = remove(file); !removed) return removed;
      continue;
    }
    const auto content = directory_.read(file.name);
    if (!content) return content.error();
    const auto snapshot = readSnapshot(content.value().bytes());
    const bool isWhole = snapshot && snapshot->offset == file.offset;
    if (isWhole) {
      StateReader in(snapshot->state);
      if (state_.restore(in)) {
        found_.snapshotOffset = snapshot->offset;
        found_.snapshotBytes = file.bytes;
        found_.epoch = begun_ = snapshot->epoch;
        next_ = snapshot->offset + 1;
        // Its name may not be on disk yet, and what it covers is removed next.
        if (const auto synced = directory_.sync(); !synced) return synced;
        continue;
      }
    }
    log::error("a snapshot of the log was discarded directory=\"{}\" file={} bytes={} why=\"{}\"",
               directory_.path(), file.name, file.bytes,
               isWhole ? "its state cannot be read" : "it is damaged");
    if (const auto removed = remove(file); !removed) return removed;
  }
  return {};
}

Result<void> Recovery::recallSegments() {
  // Segments up to `covered` have no records after the snapshot, those up to `before` some before.
  const auto endOf = [this](std::size_t i) {
    return i + 1 < segments_.size() ? segments_[i + 1].offset : kNoLimit;
  };
  std::size_t covered = 0;
  while (covered < segments_.size() && endOf(covered) <= next_) ++covered;
  const bool isMixed = covered < segments_.size() && segments_[covered].offset < next_;
  const std::size_t before = covered + (isMixed ? 1 : 0);

  // The last one first: they must reach the snapshot without a hole.
  std::size_t begin = before;
  for (std::uint64_t end = next_; begin > 0 && end > state_.recallFrom(); --begin) {
    const File& file = segments_[begin - 1];
    const auto whole = isWhole(file, end);
    if (!whole) return whole.error();
    if (!whole.value() || file.epoch != begun_) {
      log::warning(
          "links that reconnect may miss events, as a segment of the log is damaged "
          "directory=\"{}\" file={}",
          directory_.path(), file.name);
      break;
    }
    end = file.offset;
  }
  for (std::size_t i = begin; i < before; ++i) {
    const auto done = recallSegment(segments_[i], std::min(endOf(i), next_));
    if (!done) return done;
  }
  for (std::size_t i = 0; i < covered; ++i) {
    const File& file = segments_[i];
    if (i >= begin) {
      found_.segments.push_back({.first = file.offset, .bytes = file.bytes, .epoch = file.epoch});
    } else if (const auto removed = remove(file); !removed) {
      return removed;
    }
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(covered));
  return {};
}

Result<bool> Recovery::isWhole(const File& file, std::uint64_t limit) {
  const auto content = directory_.read(file.name);
  if (!content) return content.error();
  const auto nothing = [](std::uint64_t, std::string_view) {};
  return scanSegment(content.value().bytes(), file.offset, limit, nothing).next == limit;
}

Result<void> Recovery::recallSegment(const File& file, std::uint64_t limit) {
  const auto content = directory_.read(file.name);
  if (!content) return content.error();
  scanSegment(
      content.value().bytes(), file.offset, limit,
      [this](std::uint64_t first, std::string_view records) { state_.recall(first, records); });
  return {};
}

Result<void> Recovery::applySegments() {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const bool isLast = i + 1 == segments_.size();
    const std::uint64_t limit = isLast ? kNoLimit : segments_[i + 1].offset;
    if (segments_[i].offset > next_) {
      end_ = End{.why = "records are missing", .file = segments_[i].name};
      return removeFrom(i);
    }
    const auto goesOn = applySegment(segments_[i], limit);
    if (!goesOn) return goesOn.error();
    if (!goesOn.value()) return removeFrom(i + 1);
  }
  return {};
}

Result<bool> Recovery::applySegment(const File& file, std::uint64_t limit) {
  const auto content = directory_.read(file.name);
  if (!content) return content.error();
  const std::string_view bytes = content.value().bytes();
  const SegmentScan scan =
      scanSegment(bytes, file.offset, limit, [&](std::uint64_t first, std::string_view records) {
        applyAfterSnapshot(file.epoch, first, records);
      });
  const bool isLast = limit == kNoLimit;
  const bool goesOn = isLast ? scan.verdict == RecordVerdict::Ok : scan.next == limit;
  if (!goesOn) {
    const bool isGap = scan.verdict == RecordVerdict::Ok;
    end_ = End{.why = isGap ? "records are missing" : textOf(scan.verdict),
               .file = file.name,
               .at = scan.bytes,
               .bytes = bytes.size() - scan.bytes};
  }
  if (scan.next < next_) {
    // It ends before the snapshot's offset, so it cannot be continued, and the snapshot covers it.
    if (const auto removed = remove(file); !removed) return removed.error();
    if (isLast) end_.reset();
    return goesOn;
  }
  next_ = scan.next;
  found_.epoch = file.epoch;
  found_.segments.push_back({.first = file.offset, .bytes = scan.bytes, .epoch = file.epoch});
  if (scan.bytes < bytes.size()) {
    if (const auto done = cut(file, scan.bytes); !done) return done.error();
  }
  return goesOn;
}

void Recovery::applyAfterSnapshot(std::uint64_t epoch, std::uint64_t first,
                                  std::string_view records) {
  for (; !records.empty() && first < next_; ++first) {
    records.remove_prefix(trustedRecordBytes(records));
  }
  if (records.empty()) return;
  if (std::exchange(begun_, epoch) != epoch) state_.begin(epoch);
  state_.apply(first, records, 0);
  next_ = first + countRecords(records);
}

Result<void> Recovery::removeFrom(std::size_t index) {
  // The last one first: if this process ends meanwhile, what is left still ends in a gap.
  for (std::size_t i = segments_.size(); i > index; --i) {
    end_->bytes += segments_[i - 1].bytes;
    if (const auto removed = remove(segments_[i - 1]); !removed) return removed;
  }
  return {};
}

Result<void> Recovery::remove(const File& file) {
  isChanged_ = true;
  return directory_.remove(file.name);
}

Result<void> Recovery::cut(const File& file, std::uint64_t bytes) {
  isChanged_ = true;
  auto opened = directory_.open(file.name);
  if (!opened) return opened.error();
  return (*opened)->truncate(bytes);
}

void Recovery::logEnd() {
  if (!end_) return;
  if (found_.newEpochReason.empty()) {
    log::info(
        "a write that had not been completed was removed directory=\"{}\" file={} at={} "
        "bytes={} last_offset={}",
        directory_.path(), end_->file, end_->at, end_->bytes, found_.offset);
    return;
  }
  log::error(
      "the end of the log was discarded directory=\"{}\" file={} at={} bytes={} "
      "last_offset={} why=\"{}\"",
      directory_.path(), end_->file, end_->at, end_->bytes, found_.offset, end_->why);
}

std::string Recovery::newEpochReason() const {
  if (found_.isEmpty) return "the log is new";
  if (!found_.hasMark) return "the file 'mark' is missing";
  if (!mark_) return "the file 'mark' is damaged";
  if (!isMarkOwn_) return "the log is a copy, for example from a backup";
  if (found_.offset < mark_->offset) {
    return fmt::format("the log ends before offset {}, which was in use", mark_->offset);
  }
  if (found_.epoch != 0 && found_.epoch != mark_->epoch) {
    return "the files are of another epoch than 'mark'";
  }
  if (mark_->boot != found_.boot && !mark_->clean && mark_->policy != SyncPolicy::Always) {
    return "the machine was restarted, and records may not have been on disk";
  }
  return {};
}

}  // namespace stormo::channel
