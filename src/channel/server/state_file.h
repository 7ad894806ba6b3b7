#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sys/clock.h"

namespace stormo::channel {

/// What a Channel server that ends in order leaves to the next one: numbers, bytes and times, which
/// are read in the order in which they were written. A file that was not written to its end counts
/// as empty.
class StateWriter {
 public:
  /// Replaces what is in the file, which stays the caller's. `now` is the loop's.
  StateWriter(int file, TimePoint now);

  void number(std::uint64_t number);
  void bytes(std::string_view bytes);
  void time(TimePoint time);

  /// Until then the file counts as empty.
  [[nodiscard]] Result<void> finish();

 private:
  void append(std::string_view bytes);
  void flush();
  /// All of it, or error_ is set.
  void write(std::uint64_t at, std::string_view bytes);

  const int file_;
  const TimePoint now_;
  std::string buffer_;
  std::uint64_t bytes_ = 0;
  std::uint64_t hash_;
  int error_ = 0;  // of the first write that failed
};

class StateReader {
 public:
  /// Times are moved by as much as has passed since they were written.
  StateReader(int file, TimePoint now);

  /// False if the file holds nothing, or once more was read than it holds: then all that is read is
  /// zero or empty.
  [[nodiscard]] bool ok() const { return ok_; }
  std::uint64_t number();
  /// A view into the file, valid as long as this reader.
  std::string_view bytes();
  TimePoint time();

 private:
  std::string_view take(std::uint64_t bytes);

  struct Unmap {
    std::size_t bytes;
    void operator()(const char* begin) const;
  };
  std::unique_ptr<const char, Unmap> map_;
  std::string_view rest_;
  TimePoint then_{};  // on this clock, when it was written
  bool ok_ = false;
};

}  // namespace stormo::channel
