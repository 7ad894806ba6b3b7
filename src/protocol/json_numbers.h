#pragma once

#include <string>
#include <string_view>

namespace stormo {

/// The JSON text with ".0" behind every integer beyond int64 that stands outside of strings.
/// simdjson refuses integers beyond 64 bits, which are valid JSON all the same: when it reports a
/// bad number, this spelling is worth a second try. An invalid text stays invalid.
[[nodiscard]] std::string withBigIntegersAsDoubles(std::string_view json);

}  // namespace stormo
