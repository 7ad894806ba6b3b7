#pragma once

#include <cstddef>
#include <memory>

namespace stormo {

/// A block of memory that a forked child does not have: the fork does not copy its page table, and
/// the parent, which writes to it afterwards, does not copy its pages. A child that uses it ends by
/// a signal.
class UnforkedMemory {
 public:
  UnforkedMemory() = default;
  /// At least so many bytes. Throws std::bad_alloc.
  explicit UnforkedMemory(std::size_t bytes);

  /// Null if default-constructed or moved from.
  [[nodiscard]] char* data() const { return memory_.get(); }
  [[nodiscard]] std::size_t bytes() const { return memory_ ? memory_.get_deleter().bytes : 0; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(char* begin) const;
  };
  std::unique_ptr<char, Unmap> memory_;
};

}  // namespace stormo
