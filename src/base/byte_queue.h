#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stormo {

/// Bytes that are appended at the end and removed from the front, always contiguous. A byte is
/// moved once on average, however few bytes each removal takes.
class ByteQueue {
 public:
  [[nodiscard]] bool empty() const { return begin_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
  /// Valid until the next change.
  [[nodiscard]] std::string_view all() const { return std::string_view(bytes_).substr(begin_); }
  /// Allocated bytes. An empty queue keeps them until clear().
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity(); }

  void append(std::string_view bytes) { bytes_.append(bytes); }
  /// Appends `bytes` bytes and returns where to write them; valid until the next change.
  char* extend(std::size_t bytes) {
    bytes_.resize(bytes_.size() + bytes);
    return bytes_.data() + bytes_.size() - bytes;
  }

  void removePrefix(std::size_t bytes) {
    begin_ += bytes;
    // Moves the rest to the front only when at least as many bytes were removed as are moved.
    if (begin_ < size()) return;
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  /// Removes all bytes and frees the memory.
  void clear() {
    std::string().swap(bytes_);  // an assignment would keep the memory
    begin_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;  // bytes before this index were removed
};

}  // namespace stormo
