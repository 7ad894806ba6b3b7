// A value that was read is written to bytes that read as the same value, also as a part of another
// one, and the skipper reads as far as the builder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "protocol/php/serialize.h"

namespace {

/// The bytes of any `value` read as the same value.
void checkWritten(const stormo::Value& value) {
  using namespace stormo;
  // Its parts were within the limits; the whole may exceed them.
  constexpr php::Limits kWider{.depthMax = 2 * php::Limits{}.depthMax,
                               .elementsMax = 4 * php::Limits{}.elementsMax};
  std::string written;
  php::serialize(value, written);
  std::size_t consumed = 0;
  const auto again = php::unserialize(written, consumed, kWider);
  STORMO_ASSERT(again && consumed == written.size());
  std::string writtenAgain;
  php::serialize(*again, writtenAgain);
  STORMO_ASSERT(writtenAgain == written);  // not *again == value: NaN does not equal itself
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo;
  const std::string_view in(reinterpret_cast<const char*>(data), size);
  std::size_t consumed = 0;
  const auto value = php::unserialize(in, consumed);
  const auto length = php::serializedLength(in);
  STORMO_ASSERT(value.has_value() == length.has_value());
  if (!value) return 0;
  STORMO_ASSERT(consumed == *length && consumed <= size);

  checkWritten(*value);
  checkWritten(Value::list({7, *value, *value}));
  return 0;
}
