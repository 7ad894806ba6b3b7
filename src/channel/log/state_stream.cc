#include "channel/log/state_stream.h"

#include <utility>

#include "base/bytes.h"

namespace stormo::channel {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kBufferBytes = 256 << 10;

}  // namespace

StateWriter::StateWriter(std::function<void(std::string_view bytes)> write)
    : write_(std::move(write)) {
  buffer_.reserve(kBufferBytes);
}

StateWriter::~StateWriter() { flush(); }

void StateWriter::number(std::uint64_t number) {
  char bytes[kNumberBytes];
  storeBigEndian(bytes, number);
  append({bytes, kNumberBytes});
}

void StateWriter::bytes(std::string_view bytes) {
  number(bytes.size());
  append(bytes);
}

void StateWriter::append(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() > kBufferBytes) {
    write_(bytes);
  } else {
    buffer_ += bytes;
  }
}

void StateWriter::flush() {
  if (!buffer_.empty()) write_(buffer_);
  buffer_.clear();
}

std::string_view StateReader::take(std::uint64_t bytes) {
  if (bytes > rest_.size()) ok_ = false;
  if (!ok_) return {};
  const std::string_view taken = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return taken;
}

std::uint64_t StateReader::number() {
  const std::string_view bytes = take(kNumberBytes);
  return bytes.empty() ? 0 : loadBigEndian<std::uint64_t>(bytes.data());
}

std::string_view StateReader::bytes() { return take(number()); }

}  // namespace stormo::channel
