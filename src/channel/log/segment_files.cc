#include "channel/log/segment_files.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "channel/log/offset_name.h"
#include "channel/log/whole_write.h"

namespace stormo::channel {

void SegmentFiles::adopt(std::uint64_t first, std::uint64_t bytes, bool isSynced) {
  segments_.push_back(
      {.first = first, .bytes = bytes, .committedBytes = bytes, .isSynced = isSynced});
  totalBytes_ += bytes;
  if (!isSynced) isDirectorySynced_ = false;
}

Result<void> SegmentFiles::copyFrom(std::uint64_t offset) {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    if (i + 1 < segments_.size() && segments_[i + 1].first <= offset) continue;
    const std::string name = segmentName(segments_[i].first);
    const std::string temporary = name + std::string(kTemporaryEnding);
    const auto content = directory_.read(name);
    if (!content) return content.error();
    const auto copy = directory_.create(temporary);
    if (!copy) return copy.error();
    const auto written = writeWhole(*copy.value(), 0, content.value().bytes());
    if (!written) return written;
    if (const auto synced = copy.value()->sync(); !synced) return synced;
    if (const auto named = directory_.rename(temporary, name); !named) return named;
  }
  return directory_.sync();
}

Result<void> SegmentFiles::openLast() {
  auto file = directory_.open(segmentName(segments_.back().first));
  if (!file) return file.error();
  segments_.back().file = std::move(*file);
  return {};
}

Result<void> SegmentFiles::begin(const SegmentHeader& header) {
  const std::string name = segmentName(header.first);
  auto file = directory_.create(name);
  if (!file) return file.error();
  if (const auto written = writeWhole(**file, 0, encodeSegmentHeader(header)); !written) {
    (void)directory_.remove(name);
    return written;
  }
  if (!segments_.empty() && (segments_.back().isSynced || !keepsOpen_)) {
    segments_.back().file.reset();
  }
  segments_.push_back({.first = header.first,
                       .bytes = kSegmentHeaderBytes,
                       .committedBytes = kSegmentHeaderBytes,
                       .file = std::move(*file)});
  totalBytes_ += kSegmentHeaderBytes;
  isDirectorySynced_ = false;
  return {};
}

bool SegmentFiles::hasRoom(std::size_t bytes) const {
  return !hasRecords() || segments_.back().bytes + bytes <= segmentBytes_;
}

bool SegmentFiles::hasRecords() const { return segments_.back().bytes > kSegmentHeaderBytes; }

Result<std::size_t> SegmentFiles::write(std::string_view bytes) {
  Segment& last = segments_.back();
  last.isSynced = false;
  const Result<std::size_t> written = last.file->write(last.bytes, bytes);
  if (written) {
    last.bytes += written.value();
    totalBytes_ += written.value();
  }
  return written;
}

SegmentFiles::End SegmentFiles::end() const {
  return {.first = segments_.back().first, .bytes = segments_.back().bytes};
}

void SegmentFiles::commit(const End& end) {
  const auto segment = std::ranges::find(segments_, end.first, &Segment::first);
  if (segment != segments_.end()) segment->committedBytes = end.bytes;
}

Result<void> SegmentFiles::removeUncommitted(std::uint64_t next) {
  isDirectorySynced_ = false;
  while (!segments_.empty() && segments_.back().first >= next) {
    const auto removed = directory_.remove(segmentName(segments_.back().first));
    if (!removed && removed.error().code != std::errc::no_such_file_or_directory) return removed;
    totalBytes_ -= segments_.back().bytes;
    segments_.pop_back();
  }
  if (segments_.empty()) return {};
  Segment& last = segments_.back();
  if (covered_ == segments_.size()) {  // the last one never is
    --covered_;
    coveredBytes_ -= last.bytes;
  }
  auto file = fileOf(last);
  if (!file) return file.error();
  last.file = *file;
  if (const auto cut = last.file->truncate(last.committedBytes); !cut) return cut;
  totalBytes_ -= last.bytes - last.committedBytes;
  last.bytes = last.committedBytes;
  last.isSynced = false;
  return {};
}

bool SegmentFiles::isUnsynced() const {
  return !isDirectorySynced_ ||
         std::ranges::any_of(segments_, [](const Segment& segment) { return !segment.isSynced; });
}

Result<LogDirectory::SyncRequest> SegmentFiles::takeUnsynced() {
  LogDirectory::SyncRequest request{.directory = !isDirectorySynced_};
  for (const Segment& segment : segments_) {
    if (segment.isSynced) continue;
    auto file = fileOf(segment);
    if (!file) return file.error();
    request.files.push_back(std::move(*file));
  }
  for (Segment& segment : segments_) {
    segment.isSynced = true;
    if (&segment != &segments_.back()) segment.file.reset();
  }
  isDirectorySynced_ = true;
  return request;
}

void SegmentFiles::cover(std::uint64_t offset, std::uint64_t keptFrom) {
  for (; covered_ + 1 < segments_.size() && segments_[covered_ + 1].first <= offset + 1;
       ++covered_) {
    coveredBytes_ += segments_[covered_].bytes;
  }
  while (covered_ > 0 && segments_[1].first <= keptFrom) removeFirst();
}

void SegmentFiles::removeCovered() {
  while (covered_ > 0) removeFirst();
}

void SegmentFiles::removeFirst() {
  directory_.removeLater(segmentName(segments_.front().first));
  totalBytes_ -= segments_.front().bytes;
  coveredBytes_ -= segments_.front().bytes;
  --covered_;
  segments_.pop_front();
}

Result<std::shared_ptr<LogFile>> SegmentFiles::fileOf(const Segment& segment) {
  if (segment.file) return segment.file;
  return directory_.open(segmentName(segment.first));
}

}  // namespace stormo::channel
