#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace stormo::channel {

/// Writes the state of a Channel as numbers and byte strings, which StateReader reads in the same
/// order. Allocates its buffer at once.
class StateWriter {
 public:
  /// `write` receives all bytes, in pieces.
  explicit StateWriter(std::function<void(std::string_view bytes)> write);
  ~StateWriter();  ///< Calls flush().
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  void number(std::uint64_t number);
  void bytes(std::string_view bytes);
  void flush();

 private:
  void append(std::string_view bytes);

  std::function<void(std::string_view bytes)> write_;
  std::string buffer_;
};

class StateReader {
 public:
  /// `state` is a view that is valid as long as this reader.
  explicit StateReader(std::string_view state) : rest_(state) {}

  /// False if more was read than there is. Then all values read are zero or empty.
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool atEnd() const { return rest_.empty(); }
  std::uint64_t number();
  std::string_view bytes();

 private:
  std::string_view take(std::uint64_t bytes);

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace stormo::channel
