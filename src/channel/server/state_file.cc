#include "channel/server/state_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "base/bytes.h"

namespace stormo::channel {
namespace {

using std::chrono::duration_cast;
using std::chrono::nanoseconds;
using std::chrono::system_clock;

// The file: a header of this text, the number of bytes after it, and their hash; then the
// wall-clock time of writing; then the values.
constexpr std::string_view kMagic = "stormo channel 1";
constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kHeaderBytes = kMagic.size() + 2 * kNumberBytes;
constexpr std::size_t kBufferBytes = 256 << 10;

// FNV-1a.
constexpr std::uint64_t kHashBegin = 0xcbf29ce484222325;
std::uint64_t hashOn(std::uint64_t hash, std::string_view bytes) {
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::uint64_t wallClock() {
  const auto now = system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(duration_cast<nanoseconds>(now).count());
}

}  // namespace

StateWriter::StateWriter(int file, TimePoint now) : file_(file), now_(now), hash_(kHashBegin) {
  if (::ftruncate(file_, 0) != 0) error_ = errno;
  buffer_.reserve(2 * kBufferBytes);
  number(wallClock());
}

void StateWriter::number(std::uint64_t number) {
  char bytes[kNumberBytes];
  storeBigEndian(bytes, number);
  append({bytes, kNumberBytes});
}

void StateWriter::bytes(std::string_view bytes) {
  number(bytes.size());
  append(bytes);
}

void StateWriter::time(TimePoint time) {
  number(static_cast<std::uint64_t>(duration_cast<nanoseconds>(now_ - time).count()));
}

void StateWriter::append(std::string_view bytes) {
  buffer_.append(bytes);
  if (buffer_.size() >= kBufferBytes) flush();
}

void StateWriter::flush() {
  hash_ = hashOn(hash_, buffer_);
  bytes_ += buffer_.size();
  write(kHeaderBytes + bytes_ - buffer_.size(), buffer_);
  buffer_.clear();
}

void StateWriter::write(std::uint64_t at, std::string_view bytes) {
  while (!bytes.empty() && error_ == 0) {
    const ssize_t written = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno != EINTR) error_ = errno;
    if (written <= 0) continue;
    at += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<void> StateWriter::finish() {
  flush();
  std::string header(kMagic);
  header.resize(kHeaderBytes);
  storeBigEndian(header.data() + kMagic.size(), bytes_);
  storeBigEndian(header.data() + kMagic.size() + kNumberBytes, hash_);
  write(0, header);
  if (error_ == 0) return {};
  (void)::ftruncate(file_, 0);
  return Error{std::error_code(error_, std::system_category()), "write"};
}

void StateReader::Unmap::operator()(const char* begin) const {
  ::munmap(const_cast<char*>(begin), bytes);
}

StateReader::StateReader(int file, TimePoint now) {
  struct stat status {};
  if (::fstat(file, &status) != 0) return;
  const auto size = static_cast<std::size_t>(status.st_size);
  if (size < kHeaderBytes) return;
  void* const begin = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (begin == MAP_FAILED) return;
  map_ = {static_cast<const char*>(begin), Unmap{size}};
  const std::string_view header(map_.get(), kHeaderBytes);
  rest_ = {map_.get() + kHeaderBytes, size - kHeaderBytes};
  const char* const numbers = header.data() + kMagic.size();
  ok_ = header.starts_with(kMagic) && loadBigEndian<std::uint64_t>(numbers) == rest_.size() &&
        loadBigEndian<std::uint64_t>(numbers + kNumberBytes) == hashOn(kHashBegin, rest_);
  const std::uint64_t written = number();
  const std::uint64_t wall = wallClock();
  then_ = now - nanoseconds(wall > written ? wall - written : 0);
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

TimePoint StateReader::time() { return then_ - nanoseconds(number()); }

}  // namespace stormo::channel
