#pragma once

#include <stormo/value.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// PHP's serialize() format. N, b, i, d, s and a are built. O, C and E, objects and enums, are kept
/// unchanged as opaque values (Value::isOpaque()), and so is an array that holds references, R and
/// r, unless they are all inside of objects and refer to these. An opaque value is independent: it
/// may become part of any other value. One exception: after a C, an object of PHP's old
/// Serializable interface, the numbers in references cannot be determined. A value with both is
/// forwarded whole and unchanged, and must not become a part.
namespace stormo::php {

/// Appends `value` with the same bytes as PHP 8 with serialize_precision = -1.
void serialize(const Value& value, std::string& out);

/// The same for a string that is no Value.
void serializeString(std::string_view bytes, std::string& out);

/// Appends an independent serialized value as part of a text with `valuesBefore` values before it
/// (keys are no values). The numbers in its references are increased by that.
void appendPart(std::string_view serialized, std::size_t valuesBefore, std::string& out);

/// Limits of the Channel's protocol, in both dialects: see docs/channel-protocol.md, Bounds.
struct Limits {
  std::size_t depthMax = 64;            ///< Nesting of arrays and objects.
  std::size_t elementsMax = 1'000'000;  ///< Elements and properties of the whole value.
};

/// True if the output of serialize() for `value` is within `limits`, so that unserialize() accepts
/// it. Stops at the first array that nests too deep, so it is safe for a value of any depth.
[[nodiscard]] bool isWithin(const Value& value, const Limits& limits);

/// Reads the value at the front of `in` and sets `consumed` to its length; the caller decides
/// whether more may follow. Nothing if it is malformed, incomplete or above a limit, or holds a
/// reference to a value that is not before it. Memory stays within a fixed multiple of in.size(): a
/// stated count or length reserves nothing before its bytes are there.
[[nodiscard]] std::optional<Value> unserialize(std::string_view in, std::size_t& consumed,
                                               const Limits& limits = {});

/// The length of the value at the front of `in`, without building it. Nothing exactly when
/// unserialize() returns nothing.
[[nodiscard]] std::optional<std::size_t> serializedLength(std::string_view in,
                                                          const Limits& limits = {});

}  // namespace stormo::php
