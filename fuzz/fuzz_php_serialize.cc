// What is read is written to bytes that read as the same again, and the skipper goes as far as the
// builder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "protocol/php_serialize.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  std::size_t consumed = 0;
  const auto value = php::unserialize(in, consumed);
  const auto length = php::serializedLength(in);
  STORMO_ASSERT(value.has_value() == length.has_value());
  if (!value) return 0;
  STORMO_ASSERT(consumed == *length && consumed <= size);

  std::string written;
  php::serialize(*value, written);
  std::size_t consumedAgain = 0;
  const auto again = php::unserialize(written, consumedAgain);
  STORMO_ASSERT(again && consumedAgain == written.size());
  std::string writtenAgain;
  php::serialize(*again, writtenAgain);
  STORMO_ASSERT(writtenAgain == written);  // and not *again == *value: NaN is unlike itself
  return 0;
}
