#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "channel/log/real_log_directory.h"

namespace stormo::channel {

/// A new directory for a log, on the file system of TMPDIR. It is removed with its content.
class TempLog {
 public:
  TempLog() {
    std::string name = (std::filesystem::temp_directory_path() / "stormo.XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create a directory");
    path_ = name;
  }
  ~TempLog() { std::filesystem::remove_all(path_); }
  TempLog(const TempLog&) = delete;
  TempLog& operator=(const TempLog&) = delete;

  /// This outlives what it returns.
  [[nodiscard]] std::unique_ptr<RealLogDirectory> open() const {
    return std::move(RealLogDirectory::at(path_).value());
  }

 private:
  std::string path_;
};

}  // namespace stormo::channel
