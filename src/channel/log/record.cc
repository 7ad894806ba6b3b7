#include "channel/log/record.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "base/crc32c.h"

namespace stormo::channel {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kChecksumEnd = 8;
constexpr std::size_t kProducerBegin = 16;

std::uint32_t checksumOf(std::string_view record) {
  return crc32c(record.substr(kChecksumEnd), crc32c(record.substr(0, kLengthBytes)));
}

}  // namespace

void appendRecord(const Record& record, std::string& out) {
  const std::size_t bytes = kRecordHeaderBytes + record.packet.size();
  STORMO_ASSERT(bytes <= UINT32_MAX);
  const std::size_t begin = out.size();
  out.resize(begin + kRecordHeaderBytes);
  char* const header = out.data() + begin;
  storeBigEndian(header, static_cast<std::uint32_t>(bytes));
  storeBigEndian(header + kChecksumEnd, record.time);
  storeBigEndian(header + kProducerBegin, record.producerId);
  out += record.packet;
  const std::uint32_t checksum = checksumOf(std::string_view(out).substr(begin));
  storeBigEndian(out.data() + begin + kLengthBytes, checksum);
}

RecordRead readRecord(std::string_view bytes) {
  if (bytes.size() < kLengthBytes) return {RecordVerdict::Incomplete};
  const std::size_t length = trustedRecordBytes(bytes);
  if (length < kRecordHeaderBytes) return {RecordVerdict::Damaged};
  if (bytes.size() < length) return {RecordVerdict::Incomplete};
  const std::string_view record = bytes.substr(0, length);
  if (loadBigEndian<std::uint32_t>(record.data() + kLengthBytes) != checksumOf(record)) {
    return {RecordVerdict::Damaged};
  }
  return {RecordVerdict::Ok, trustedRecord(record), length};
}

Record trustedRecord(std::string_view bytes) {
  return {
      .time = loadBigEndian<std::uint64_t>(bytes.data() + kChecksumEnd),
      .producerId = loadBigEndian<std::uint64_t>(bytes.data() + kProducerBegin),
      .packet = bytes.substr(kRecordHeaderBytes, trustedRecordBytes(bytes) - kRecordHeaderBytes)};
}

std::size_t trustedRecordBytes(std::string_view bytes) {
  return loadBigEndian<std::uint32_t>(bytes.data());
}

std::uint64_t countRecords(std::string_view records) {
  std::uint64_t count = 0;
  for (; !records.empty(); ++count) records.remove_prefix(trustedRecordBytes(records));
  return count;
}

}  // namespace stormo::channel
