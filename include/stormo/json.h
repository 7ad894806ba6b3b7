#pragma once

#include <stormo/value.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace stormo {

struct JsonLimits {
  /// Maximum nesting of arrays and objects. A Value that nests deeper than 64 cannot be published
  /// (PublishStatus::Refused).
  std::size_t depthMax = 64;
};

/// The Value of a JSON text (RFC 8259), with the content that PHP's json_decode($text, true)
/// returns: objects become arrays with string keys ("0" becomes the integer key 0), the last of
/// equal names counts, an integer beyond int64 becomes a double, a number beyond a double is
/// infinite. Half of a surrogate pair ("\ud83d") becomes U+FFFD. Returns nothing if the text is not
/// one valid JSON value in UTF-8, or nests deeper than `limits` allow. May be called in any thread.
///
/// Unlike in PHP, an array made from a JSON object remembers that (Value::isObject()), so toJson()
/// writes `{}` and `{"0":"a"}` as they were read. Published to the Channel, it is a PHP array like
/// any other: its receivers get `[]` and `["a"]`.
///
/// The result is often a temporary: keep it in a variable before you take views or references, for
/// `parseJson(text)->asString()` and `for (auto& [key, element] : *parseJson(text))` dangle.
[[nodiscard]] std::optional<Value> parseJson(std::string_view text, const JsonLimits& limits = {});

/// The JSON text of a Value, as PHP's json_encode() with JSON_UNESCAPED_UNICODE and
/// JSON_UNESCAPED_SLASHES writes it: lists, and so the empty array, as [], other arrays as {}
/// (Value::isObject()). NaN, the infinities and opaque Values become null, and bytes that are not
/// UTF-8 become U+FFFD, as JSON has nothing for them. May be called in any thread.
[[nodiscard]] std::string toJson(const Value& value);

}  // namespace stormo
