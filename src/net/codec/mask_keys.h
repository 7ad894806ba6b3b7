#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace stormo::net {

/// Masking keys for a client's frames: fresh for each frame, and unpredictable, as the kernel's
/// random generator makes them (RFC 6455 5.3, 10.3). One call of the kernel makes 64 of them.
class MaskKeys {
 public:
  static constexpr std::size_t kKeyBytes = 4;

  /// Valid until the next call. Throws std::system_error if the system has no random generator.
  [[nodiscard]] const char* next() {
    if (used_ == bytes_.size()) refill();
    const char* const key = bytes_.data() + used_;
    used_ += kKeyBytes;
    return key;
  }

 private:
  void refill();

  std::array<char, 64 * kKeyBytes> bytes_;  // as many as getentropy(3) gives at once
  std::size_t used_ = bytes_.size();
};

/// A Sec-WebSocket-Key: 16 random bytes in base64 (RFC 6455 4.1). Throws as MaskKeys.
[[nodiscard]] std::string randomHandshakeKey();

}  // namespace stormo::net
