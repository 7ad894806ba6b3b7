#include "channel/nats/nats_mailbox.h"

#include <utility>

namespace stormo::channel {
namespace {

// After so many bytes of messages in one turn, the loop's other events have their turn.
constexpr std::size_t kBytesPerTurn = 4 << 20;

}  // namespace

void NatsMailbox::push(NatsEvent event) {
  const std::lock_guard lock(mutex_);
  if (isClosed_) return;
  arrived_.push_back(std::move(event));
  if (!isPosted_) postLocked();
}

bool NatsMailbox::isEmpty() {
  const std::lock_guard lock(mutex_);
  return arrived_.empty() && handled_ == taken_.size();
}

void NatsMailbox::close() {
  const std::lock_guard lock(mutex_);
  isClosed_ = true;
  arrived_.clear();
}

// Needs the mutex.
void NatsMailbox::postLocked() {
  isPosted_ = loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->handleSome();
  });
}

void NatsMailbox::handleSome() {
  for (std::size_t bytes = 0; bytes < kBytesPerTurn;) {
    {
      const std::lock_guard lock(mutex_);
      if (isClosed_) return;
      if (handled_ == taken_.size()) {
        taken_.clear();
        handled_ = 0;
        taken_.swap(arrived_);
        isPosted_ = !taken_.empty();
        if (taken_.empty()) return;
      }
    }
    // The handler may call close(), not anything that changes taken_.
    NatsEvent& event = taken_[handled_++];
    bytes += event.messageBytes;
    handler_(event);
    event.message.reset();
  }
  const std::lock_guard lock(mutex_);
  if (!isClosed_) postLocked();
}

}  // namespace stormo::channel
