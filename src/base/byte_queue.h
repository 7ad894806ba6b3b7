#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace stormo {

/// Bytes that are appended at the end and removed from the front, in one piece all the time. A byte
/// is moved once, on average, however little is removed at a time.
class ByteQueue {
 public:
  [[nodiscard]] bool empty() const { return begin_ == bytes_.size(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size() - begin_; }
  /// Valid until the next change.
  [[nodiscard]] std::string_view all() const { return std::string_view(bytes_).substr(begin_); }
  /// What it holds room for, and keeps when it is empty.
  [[nodiscard]] std::size_t capacity() const { return bytes_.capacity(); }

  void append(std::string_view bytes) { bytes_.append(bytes); }
  /// Room for so many bytes at the end, to be written at once.
  char* extend(std::size_t bytes) {
    bytes_.resize(bytes_.size() + bytes);
    return bytes_.data() + bytes_.size() - bytes;
  }

  void removePrefix(std::size_t bytes) {
    begin_ += bytes;
    // Moved to the front only when at least as much has gone as is moved.
    if (begin_ < size()) return;
    bytes_.erase(0, begin_);
    begin_ = 0;
  }
  /// Gives its room back, too.
  void clear() {
    std::string().swap(bytes_);  // an assignment would keep its room
    begin_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;  // what is before it was removed
};

}  // namespace stormo
