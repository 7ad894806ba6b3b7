#include "protocol/websocket/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "base/assert.h"
#include "protocol/websocket/deflate_negotiation.h"

namespace stormo::websocket {
namespace {

// A flushed message ends with an empty stored block, whose last four bytes are not sent (RFC 7692
// 7.2.1).
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);
// An empty message: the first byte of an empty stored block (RFC 7692 7.2.3.6).
constexpr std::string_view kEmptyMessage("\x00", 1);

constexpr int kLevel = Z_DEFAULT_COMPRESSION;
constexpr int kMemLevel = 8;
// zlib refuses to compress with a window of 2^8 bytes. With one of 2^9 its matches reach back 250
// bytes at most, because it keeps 262 bytes of it free (MIN_LOOKAHEAD), so a receiver whose window
// has 2^8 bytes can inflate them.
constexpr int kZlibWindowBitsMin = 9;
// Larger buffers are freed when the next message comes; the decompressor's, unless the message
// before has filled a good part of it.
constexpr std::size_t kKeptBytes = 256 << 10;
constexpr std::size_t kFirstBytes = 4 << 10;

Bytef* writable(std::string_view bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write to it
}

void dropIfLarge(std::string& buffer) {
  if (buffer.size() > kKeptBytes) std::string().swap(buffer);
}

/// zlib counts in unsigned int: the length of the next piece.
uInt pieceOf(std::size_t bytes) {
  return static_cast<uInt>(std::min<std::size_t>(bytes, std::numeric_limits<int>::max()));
}

}  // namespace

// --- Deflater ---

void Deflater::End::operator()(z_stream_s* stream) const {
  deflateEnd(stream);
  delete stream;
}

Deflater::Deflater(int windowBits) {
  STORMO_ASSERT(windowBits >= kWindowBitsMin && windowBits <= kWindowBitsMax);
  auto stream = std::make_unique<z_stream>();
  // Negative window bits: neither a header nor a checksum.
  const int bits = -std::max(windowBits, kZlibWindowBitsMin);
  if (deflateInit2(stream.get(), kLevel, Z_DEFLATED, bits, kMemLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  stream_.reset(stream.release());
}

Deflater::~Deflater() = default;
Deflater::Deflater(Deflater&&) noexcept = default;
Deflater& Deflater::operator=(Deflater&&) noexcept = default;

void Deflater::reset() { STORMO_ASSERT(deflateReset(stream_.get()) == Z_OK); }

std::string_view Deflater::deflate(std::string_view message) {
  if (message.empty()) return kEmptyMessage;
  dropIfLarge(output_);
  std::size_t bytes = 0;
  bool isFlushed = false;
  while (!isFlushed) {
    if (bytes == output_.size()) output_.resize(std::max(2 * bytes, message.size() / 2 + 64));
    const uInt in = pieceOf(message.size());
    const uInt out = pieceOf(output_.size() - bytes);
    stream_->next_in = writable(message);
    stream_->avail_in = in;
    stream_->next_out = reinterpret_cast<Bytef*>(output_.data() + bytes);
    stream_->avail_out = out;
    const int flush = in < message.size() ? Z_NO_FLUSH : Z_SYNC_FLUSH;
    const int result = ::deflate(stream_.get(), flush);
    STORMO_ASSERT(result == Z_OK || result == Z_BUF_ERROR);
    message.remove_prefix(in - stream_->avail_in);
    bytes += out - stream_->avail_out;
    // Room that is left is the sign that the flush is complete.
    isFlushed = message.empty() && flush == Z_SYNC_FLUSH && stream_->avail_out > 0;
  }
  STORMO_ASSERT(std::string_view(output_).substr(0, bytes).ends_with(kTail));
  return std::string_view(output_).substr(0, bytes - kTail.size());
}

// --- Inflater ---

void Inflater::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

Inflater::Inflater() {
  auto stream = std::make_unique<z_stream>();
  if (inflateInit2(stream.get(), -int{kWindowBitsMax}) != Z_OK) throw std::bad_alloc();
  stream_.reset(stream.release());
}

Inflater::~Inflater() = default;
Inflater::Inflater(Inflater&&) noexcept = default;
Inflater& Inflater::operator=(Inflater&&) noexcept = default;

void Inflater::reset() { STORMO_ASSERT(inflateReset(stream_.get()) == Z_OK); }

Inflated Inflater::inflate(std::string_view payload, std::uint64_t messageBytesMax) {
  if (roomBytes_ > kKeptBytes && outputBytes_ < roomBytes_ / 4) {
    output_.reset();
    roomBytes_ = 0;
  }
  outputBytes_ = 0;
  // Some encoders send nothing at all for an empty message after another one, as zlib has nothing
  // left to flush.
  if (payload.empty()) return {};
  for (const std::string_view part : {payload, kTail}) {
    const Inflated::Verdict verdict = feed(part, messageBytesMax);
    if (verdict != Inflated::Verdict::Ok) return {.verdict = verdict};
  }
  // The tail must have been an empty block, not the middle of another one (RFC 7692 7.2.2). zlib
  // states its position: 128 between two blocks; the low bits count those left of the last byte.
  constexpr int kBetweenBlocks = 128;
  if ((stream_->data_type & ~64) != kBetweenBlocks) return {.verdict = Inflated::Verdict::Invalid};
  return {.message = std::string_view(output_.get(), outputBytes_)};
}

/// Inflates all of `input`, and what zlib still holds of the input before.
Inflated::Verdict Inflater::feed(std::string_view input, std::uint64_t messageBytesMax) {
  for (;;) {
    if (!makeRoom(messageBytesMax)) return Inflated::Verdict::TooBig;
    const uInt in = pieceOf(input.size());
    const uInt out = pieceOf(roomBytes_ - outputBytes_);
    stream_->next_in = writable(input);
    stream_->avail_in = in;
    stream_->next_out = reinterpret_cast<Bytef*>(output_.get() + outputBytes_);
    stream_->avail_out = out;
    const int result = ::inflate(stream_.get(), Z_SYNC_FLUSH);
    input.remove_prefix(in - stream_->avail_in);
    outputBytes_ += out - stream_->avail_out;
    if (outputBytes_ > messageBytesMax) return Inflated::Verdict::TooBig;
    if (result == Z_STREAM_END) {
      // A final block is not the end of the message: others may follow (RFC 7692 7.2.3.4), which
      // may refer to what was inflated before. So the window is kept.
      if (inflateResetKeep(stream_.get()) != Z_OK) return Inflated::Verdict::Invalid;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Inflated::Verdict::Invalid;
    }
    if (input.empty() && stream_->avail_out > 0) return Inflated::Verdict::Ok;
  }
}

/// Room for at least one byte: one more than the limit shows that it is exceeded.
bool Inflater::makeRoom(std::uint64_t messageBytesMax) {
  if (outputBytes_ < roomBytes_) return true;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t most = std::min(messageBytesMax, kMost - 1) + 1;
  if (outputBytes_ >= most) return false;
  const std::uint64_t wanted = std::max<std::uint64_t>(2 * roomBytes_, kFirstBytes);
  const auto bytes = static_cast<std::size_t>(std::min(wanted, most));
  void* const grown = std::realloc(output_.get(), bytes);
  if (grown == nullptr) throw std::bad_alloc();
  static_cast<void>(output_.release());  // realloc(3) has freed it
  output_.reset(static_cast<char*>(grown));
  roomBytes_ = bytes;
  return true;
}

}  // namespace stormo::websocket
