#pragma once

#include <stormo/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sys/clock.h"

namespace stormo::channel {

/// Writes the state that a Channel server saves on a clean stop: numbers, bytes and times, which
/// are read in the same order. An incompletely written file counts as empty.
class StateWriter {
 public:
  /// Empties the file; the caller owns it. `now` is the loop's time.
  StateWriter(int file, TimePoint now);

  void number(std::uint64_t number);
  void bytes(std::string_view bytes);
  void time(TimePoint time);

  /// Completes the file. Before that it counts as empty.
  [[nodiscard]] Result<void> finish();

 private:
  void append(std::string_view bytes);
  void flush();
  /// Writes all bytes, or sets error_.
  void write(std::uint64_t at, std::string_view bytes);

  const int file_;
  const TimePoint now_;
  std::string buffer_;
  std::uint64_t bytes_ = 0;
  std::uint64_t hash_;
  int error_ = 0;  // errno of the first failed write
};

class StateReader {
 public:
  /// Times are shifted by the time since they were written.
  StateReader(int file, TimePoint now);

  /// False if the file is empty or invalid, or if more was read than it contains. Then all values
  /// read are zero or empty.
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
  TimePoint then_{};  // time of writing, on this process's clock
  bool ok_ = false;
};

}  // namespace stormo::channel
