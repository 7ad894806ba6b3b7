#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

namespace stormo::process {

/// One content of a program's file: a new build is another one, even under the same path.
struct ProgramFile {
  dev_t device;
  ino_t inode;
  off_t bytes;
  timespec modified;

  /// Nullopt, with errno, if it cannot be read.
  static std::optional<ProgramFile> at(const std::string& path);
  friend bool operator==(const ProgramFile& one, const ProgramFile& other);
};

/// How this process was started, so that the program that is on the disk later can be started in
/// the same way.
struct OwnProgram {
  /// As it was called, but absolute: symbolic links in it may lead to another file later.
  std::string path;
  std::vector<std::string> words;  ///< argv
  std::string directory;           ///< The working directory.

  /// Call it before the working directory changes. The path is empty if it cannot be found out.
  static OwnProgram ofThisProcess();
};

}  // namespace stormo::process
