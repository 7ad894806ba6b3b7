#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;  // of zlib

namespace stormo::websocket {

/// The most bytes of payload that a compressed message may have whose inflated size is limited to
/// `messageBytesMax`: DEFLATE adds some to data that it cannot compress (RFC 1951 3.2.4), and an
/// encoder with little memory adds more.
[[nodiscard]] constexpr std::uint64_t compressedBytesMax(std::uint64_t messageBytesMax) {
  constexpr std::uint64_t kFixedBytes = 64;
  const std::uint64_t extra = messageBytesMax / 4 + kFixedBytes;
  return messageBytesMax > UINT64_MAX - extra ? UINT64_MAX : messageBytesMax + extra;
}

/// Compresses the messages of one sender (RFC 7692 7.2.1). Has about 2^(windowBits + 2) bytes and
/// 128 KiB more. Messages to many connections can share one that is reset before each of them.
class Deflater {
 public:
  /// `windowBits` is from kWindowBitsMin to kWindowBitsMax, and at most what was negotiated for the
  /// sender. Throws std::bad_alloc.
  explicit Deflater(int windowBits);
  ~Deflater();
  Deflater(Deflater&&) noexcept;
  Deflater& operator=(Deflater&&) noexcept;

  /// Returns the payload that carries `message`, without the four bytes that RFC 7692 7.2.1
  /// removes. It may be longer than the message, and is never empty. Refers to messages since the
  /// last reset(): all of them must be received, in this order. The view is valid until the next
  /// call.
  [[nodiscard]] std::string_view deflate(std::string_view message);

  /// Forgets all earlier messages. Without context takeover: before each message.
  void reset();

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  std::unique_ptr<z_stream_s, End> stream_;
  std::string output_;
};

/// A message that was inflated, or the reason why it could not be.
struct Inflated {
  enum class Verdict {
    Ok,
    Invalid,  ///< Not DEFLATE data, or not a whole message: close with 1007.
    TooBig,   ///< More than the limit: close with 1009.
  };
  Verdict verdict = Verdict::Ok;
  std::string_view message = {};  ///< Valid until the inflater is called again or destroyed.
};

/// Decompresses the messages of one sender, whatever its window (RFC 7692 7.2.2). Has about 40 KiB,
/// and the memory of one message. Messages of many connections can share one that is reset before
/// each of them.
class Inflater {
 public:
  Inflater();  ///< Throws std::bad_alloc.
  ~Inflater();
  Inflater(Inflater&&) noexcept;
  Inflater& operator=(Inflater&&) noexcept;

  /// Inflates the whole payload of one message, its fragments joined. Stops when the message
  /// exceeds `messageBytesMax`; memory is at most twice what was inflated, whatever the payload
  /// would expand to. An empty payload is an empty message. After a verdict other than Ok, only
  /// reset() and the destructor may be called.
  [[nodiscard]] Inflated inflate(std::string_view payload, std::uint64_t messageBytesMax);
  /// The bytes to which the last payload was inflated, whatever the verdict.
  [[nodiscard]] std::size_t inflatedBytes() const { return outputBytes_; }

  /// Forgets all earlier messages. Without context takeover: before each message.
  void reset();

 private:
  struct End {
    void operator()(z_stream_s* stream) const;
  };
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  [[nodiscard]] Inflated::Verdict feed(std::string_view input, std::uint64_t messageBytesMax);
  bool makeRoom(std::uint64_t messageBytesMax);

  std::unique_ptr<z_stream_s, End> stream_;
  // Of realloc(3), which moves large memory without copying it.
  std::unique_ptr<char, Free> output_;
  std::size_t roomBytes_ = 0;
  std::size_t outputBytes_ = 0;  // that the last message has used of them
};

}  // namespace stormo::websocket
