#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "sys/unique_fd.h"

namespace stormo::integration {

/// A subscriber of all messages to groups in Workerman's dialect, like a PHP process, that reads
/// 1 KiB every 0.2 s. It makes another link when its link ends.
class SlowSubscriber {
 public:
  /// `path`: a unix socket of the Channel.
  explicit SlowSubscriber(std::string path) : path_(std::move(path)) {}

  /// Never waits. Call it in each turn of the test.
  void advance();

  [[nodiscard]] std::size_t linkCount() const { return linkCount_; }
  [[nodiscard]] std::uint64_t bytesRead() const { return bytesRead_; }

 private:
  void connect();

  const std::string path_;
  UniqueFd fd_;
  std::chrono::steady_clock::time_point nextRead_{};
  std::size_t linkCount_ = 0;
  std::uint64_t bytesRead_ = 0;
};

}  // namespace stormo::integration
