#pragma once

#include <cstddef>
#include <string>

namespace stormo::integration {

/// Lets this process mount what other processes do not see. Call it after enterPrivateNetwork(),
/// before any thread is started. False if the system does not allow it.
bool enterPrivateMounts();

/// A file system of that size, in memory, over an existing directory. Needs enterPrivateMounts().
class SmallDisk {
 public:
  /// Throws if it cannot be mounted.
  SmallDisk(std::string directory, std::size_t bytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  [[nodiscard]] const std::string& directory() const { return directory_; }
  /// Takes all the room that is left.
  void fill() const;
  /// Frees it.
  void free() const;

 private:
  const std::string directory_;
};

}  // namespace stormo::integration
