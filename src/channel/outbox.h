#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stormo::channel {

/// What a publisher has published and the Channel has not acknowledged: whole frames of Publish and
/// Enqueue, in the order of their sequences. On a new link all of it is said again.
class Outbox {
 public:
  explicit Outbox(std::size_t bytesMax) : bytesMax_(bytesMax) {}

  /// False if so many bytes more would be too much. An empty outbox takes anything.
  [[nodiscard]] bool hasRoom(std::size_t bytes) const {
    return empty() || size() + bytes <= bytesMax_;
  }
  /// Half of its room is free again.
  [[nodiscard]] bool isRelaxed() const { return size() <= bytesMax_ / 2; }
  /// Room for whole frames, to be written at once.
  char* extend(std::size_t bytes);
  /// Forgets all frames up to this sequence.
  void acknowledge(std::uint64_t sequence);

  [[nodiscard]] bool empty() const { return begin_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
  [[nodiscard]] std::string_view all() const { return last(size()); }
  [[nodiscard]] std::string_view last(std::size_t bytes) const {
    return std::string_view(bytes_).substr(bytes_.size() - bytes);
  }

 private:
  const std::size_t bytesMax_;
  std::string bytes_;
  std::size_t begin_ = 0;  // what is before it is acknowledged
};

}  // namespace stormo::channel
