#include "channel/authors.h"

#include <chrono>
#include <utility>

namespace stormo::channel {
namespace {

constexpr std::chrono::hours kRemembered{1};

}  // namespace

bool Authors::take(Author author, TimePoint now) {
  if (young_.size() >= kAuthorsMax || now - youngSince_ > kRemembered) {
    old_ = std::exchange(young_, {});
    youngSince_ = now;
  }
  const auto [known, isNew] = young_.try_emplace(author.id, 0);
  if (isNew) {
    if (const auto before = old_.find(author.id); before != old_.end()) {
      known->second = before->second;
    }
  }
  if (author.sequence <= known->second) return false;
  known->second = author.sequence;
  return true;
}

}  // namespace stormo::channel
