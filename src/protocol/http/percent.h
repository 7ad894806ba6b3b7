#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace stormo {

/// The bytes that `text` encodes (RFC 3986 2.1). Nothing if an escape is invalid. `plusIsSpace`: a
/// '+' is a space, as in the query of a form.
[[nodiscard]] std::optional<std::string> percentDecoded(std::string_view text,
                                                        bool plusIsSpace = false);

}  // namespace stormo
