#pragma once

#include <stormo/value.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// PHP's serialize() format. N, b, i, d, s and a are built; O, C and E, objects and enums, are kept
/// as they are (Value::isOpaque()), and so is an array with references in it, R and r, unless they
/// are all inside of objects and refer to these. What is opaque stands alone: it may become part of
/// any other value. One exception: the numbers in references cannot be known behind a C, an object
/// of PHP's old Serializable interface. A value that has both is passed on whole as it is, and must
/// not become a part.
namespace stormo::php {

/// Appends `value`, to the same bytes as PHP 8's serialize() with serialize_precision = -1.
void serialize(const Value& value, std::string& out);

/// The same for a string that is no Value.
void serializeString(std::string_view bytes, std::string& out);

/// Appends a serialized value that stands alone, as part of a text with so many values before it
/// (keys are no values): the numbers in its references count these, too.
void appendPart(std::string_view serialized, std::size_t valuesBefore, std::string& out);

/// Part of the Channel's protocol, in both dialects: see docs/channel-protocol.md, Bounds.
struct Limits {
  std::size_t depthMax = 64;            ///< Arrays and objects within one another.
  std::size_t elementsMax = 1'000'000;  ///< Elements and properties in the whole value.
};

/// True if what serialize() makes of `value` is within `limits`, so that unserialize() reads it.
/// Stops at the first array too deep: a value of any depth is safe to ask about.
[[nodiscard]] bool isWithin(const Value& value, const Limits& limits);

/// Reads the one value at the front of `in`, and says in `consumed` how long it was; whether more
/// may follow is the caller's affair. Nothing if it is malformed, cut short, or above a limit.
/// So is a reference to what does not come before it. A count or length is not believed before its
/// bytes are seen, so memory stays within a fixed multiple of in.size().
[[nodiscard]] std::optional<Value> unserialize(std::string_view in, std::size_t& consumed,
                                               const Limits& limits = {});

/// How long the one value at the front of `in` is, without building it. Nothing exactly when
/// unserialize() gives nothing.
[[nodiscard]] std::optional<std::size_t> serializedLength(std::string_view in,
                                                          const Limits& limits = {});

}  // namespace stormo::php
