#pragma once

#include <cstddef>

namespace stormo {

/// What a stream protocol says of the bytes at the front of a stream (Workerman's `input`): is a
/// whole package there, and how long is it, its framing included.
struct PackageLength {
  enum class Verdict {
    NeedMore,  ///< Not there yet. `bytes` is its length if that is known already, else 0.
    Complete,  ///< The first `bytes` bytes are one package.
    Invalid,   ///< It never will be: close the connection.
  };

  Verdict verdict = Verdict::NeedMore;
  std::size_t bytes = 0;

  static constexpr PackageLength needMore(std::size_t bytes = 0) {
    return {Verdict::NeedMore, bytes};
  }
  static constexpr PackageLength complete(std::size_t bytes) { return {Verdict::Complete, bytes}; }
  static constexpr PackageLength invalid() { return {Verdict::Invalid, 0}; }

  bool operator==(const PackageLength&) const = default;
};

}  // namespace stormo
