#include "net/held_output.h"

#include "base/assert.h"
#include "net/output_queue.h"

namespace stormo::net {
namespace {

// Up to this length a copy costs less than a reference.
constexpr std::size_t kCopiedBytesMax = 512;
// Copies that may not be dropped are joined up to this length.
constexpr std::size_t kJoinedBytesMax = 64 << 10;
// The bytes that a mark counts as.
constexpr std::size_t kMarkBytes = 64;

}  // namespace

/// A short piece, or one that would keep a much larger buffer alive, is copied.
void HeldOutput::store(const Piece& piece, Entry& entry) {
  const bool isCopied = piece.length <= kCopiedBytesMax ||
                        piece.length * OutputQueue::kHeldPerByte < piece.buffer->capacity();
  if (isCopied) {
    entry.copied = piece.buffer->view().substr(piece.begin, piece.length);
  } else {
    entry.shared = *piece.buffer;
    entry.begin = piece.begin;
  }
  entry.length = piece.length;
}

HeldOutput::Place HeldOutput::append(Entry entry) {
  const Place place = entries_.insert(entries_.end(), std::move(entry));
  place->previous_ = place->next_ = entries_.end();
  if (place->source == nullptr) return place;
  const auto [last, isFirst] = last_.try_emplace(place->source.get(), place);
  if (!isFirst) {
    place->previous_ = last->second;
    last->second->next_ = place;
    last->second = place;
  }
  return place;
}

void HeldOutput::push(const Piece& piece) {
  if (piece.length == 0) return;
  keptBytes_ += piece.length;
  Entry entry;
  store(piece, entry);
  if (entry.shared.empty() && !entries_.empty()) {
    Entry& last = entries_.back();
    const bool isJoined = last.source == nullptr && last.shared.empty() &&
                          last.length + entry.length <= kJoinedBytesMax;
    if (isJoined) {
      last.copied += entry.copied;
      last.length += entry.length;
      return;
    }
  }
  append(std::move(entry));
}

void HeldOutput::push(const DroppablePiece& piece, std::uint64_t waitingBefore,
                      std::uint64_t bytesMax) {
  const std::uint64_t cost = piece.piece.length + kEntryBytes;
  const SlowPolicy policy = piece.source->policy();
  if (policy == SlowPolicy::Latest) dropLatestOf(*piece.source);
  while (policy != SlowPolicy::DropNewest && oldest_ != entries_.end() &&
         !hasRoomFor(cost, waitingBefore, bytesMax)) {
    drop(oldest_);
  }
  if (!hasRoomFor(cost, waitingBefore, bytesMax)) return noteMissed(piece.source, piece.messages);
  Entry entry;
  store(piece.piece, entry);
  entry.source = piece.source;
  entry.messages = piece.messages;
  const Place place = append(std::move(entry));
  if (oldest_ == entries_.end()) oldest_ = place;
  droppableBytes_ += piece.piece.length;
  ++droppableCount_;
}

void HeldOutput::makeRoom(std::uint64_t waitingBefore, std::uint64_t bytesMax) {
  while (oldest_ != entries_.end() && !hasRoomFor(0, waitingBefore, bytesMax)) drop(oldest_);
}

/// Drops the message of a source with Latest, which has one at most.
void HeldOutput::dropLatestOf(const LossySource& source) {
  const auto last = last_.find(&source);
  if (last == last_.end()) return;
  const Place entry = isMark(last->second) ? last->second->previous_ : last->second;
  if (entry != entries_.end()) drop(entry);
}

/// Leaves a mark in its place. Two marks of a source have a message of it between them.
void HeldOutput::drop(Place entry) {
  const std::shared_ptr<LossySource> source = entry->source;
  const std::uint64_t messages = entry->messages;
  source->onDropped();
  uncount(*entry);
  const Place previous = entry->previous_;
  const Place next = entry->next_;
  if (isMark(previous)) {
    previous->messages += messages;
    erase(entry);
    if (isMark(next)) {
      previous->messages += next->messages;
      uncount(*next);
      erase(next);
    }
  } else if (isMark(next)) {
    next->messages += messages;
    erase(entry);
  } else if (source->hasNotice()) {
    entry->shared.reset();
    entry->copied = {};
    entry->length = 0;
    entry->isMark = true;
    markBytes_ += kMarkBytes;
    if (entry == oldest_) advanceOldest();
  } else {
    erase(entry);
  }
}

void HeldOutput::advanceOldest() {
  do {
    ++oldest_;
  } while (oldest_ != entries_.end() && (oldest_->source == nullptr || oldest_->isMark));
}

void HeldOutput::noteMissed(const std::shared_ptr<LossySource>& source, std::uint64_t messages) {
  source->onDropped();
  if (!source->hasNotice()) return;
  const auto last = last_.find(source.get());
  if (last != last_.end() && last->second->isMark) {
    last->second->messages += messages;
    return;
  }
  Entry mark;
  mark.source = source;
  mark.messages = messages;
  mark.isMark = true;
  append(std::move(mark));
  markBytes_ += kMarkBytes;
}

void HeldOutput::uncount(const Entry& entry) {
  if (entry.source == nullptr) {
    keptBytes_ -= entry.length;
  } else if (entry.isMark) {
    markBytes_ -= kMarkBytes;
  } else {
    droppableBytes_ -= entry.length;
    --droppableCount_;
  }
}

void HeldOutput::unlink(Place entry) {
  if (entry == oldest_) advanceOldest();
  if (entry->source == nullptr) return;
  if (entry->previous_ != entries_.end()) entry->previous_->next_ = entry->next_;
  if (entry->next_ != entries_.end()) {
    entry->next_->previous_ = entry->previous_;
    return;
  }
  if (entry->previous_ != entries_.end()) {
    last_[entry->source.get()] = entry->previous_;
  } else {
    last_.erase(entry->source.get());
  }
}

void HeldOutput::erase(Place entry) {
  unlink(entry);
  entries_.erase(entry);
}

HeldOutput::Entry HeldOutput::pop() {
  STORMO_ASSERT(!entries_.empty());
  const Place first = entries_.begin();
  uncount(*first);
  Entry entry = std::move(*first);
  // The source was moved out, but is needed to unlink the place.
  first->source = entry.source;
  erase(first);
  return entry;
}

}  // namespace stormo::net
