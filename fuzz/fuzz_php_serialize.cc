// What is read is written to bytes that read as the same again, also as a part of another value,
// and the skipper goes as far as the builder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "protocol/php/serialize.h"

namespace {

/// Whatever `value` is, its bytes are those of what is read from them.
void checkWritten(const stormo::Value& value) {
  using namespace stormo;
  // Parts of it were within the limits; it may be above them.
  constexpr php::Limits kWider{.depthMax = 2 * php::Limits{}.depthMax,
                               .elementsMax = 4 * php::Limits{}.elementsMax};
  std::string written;
  php::serialize(value, written);
  std::size_t consumed = 0;
  const auto again = php::unserialize(written, consumed, kWider);
  STORMO_ASSERT(again && consumed == written.size());
  std::string writtenAgain;
  php::serialize(*again, writtenAgain);
  STORMO_ASSERT(writtenAgain == written);  // and not *again == value: NaN is unlike itself
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
