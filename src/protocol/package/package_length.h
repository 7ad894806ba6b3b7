#pragma once

#include <cstddef>

namespace stormo {

/// The verdict on the bytes at the front of a stream (Workerman's `input`): whether a complete
/// package is there, and its length with its framing.
struct PackageLength {
  enum class Verdict {
    NeedMore,  ///< Incomplete. `bytes` is its length if that is known, else 0.
    Complete,  ///< The first `bytes` bytes are one package.
    Invalid,   ///< Not of the protocol: close the connection.
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
