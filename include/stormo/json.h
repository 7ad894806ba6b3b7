#pragma once

#include <stormo/value.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stormo {

struct JsonLimits {
  /// Arrays and objects within one another. More than 64 cannot be published:
  /// PublishStatus::Refused.
  std::size_t depthMax = 64;
};

/// The Value of a JSON text (RFC 8259), as PHP's json_decode($text, true) gives it: objects become
/// arrays with string keys, of a name given twice the last counts, an integer beyond int64 becomes
/// a double, a number beyond a double is infinite. Half of a surrogate pair ("\ud83d") becomes
/// U+FFFD. Nothing if the text is not one valid JSON value in UTF-8, or nests deeper than `limits`
/// allow.
[[nodiscard]] std::optional<Value> parseJson(std::string_view text, const JsonLimits& limits = {});

/// The JSON text of a Value, as PHP's json_encode() with JSON_UNESCAPED_UNICODE and
/// JSON_UNESCAPED_SLASHES: lists (and the empty array) as [], other arrays as {}. What JSON cannot
/// say: NaN, the infinities and what is opaque become null, bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string toJson(const Value& value);

}  // namespace stormo
