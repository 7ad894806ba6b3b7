#pragma once

#include <string>
#include <string_view>

namespace stormo {

/// Appends `text` as a JSON string, in its quotes, as toJson() writes it: bytes that are not UTF-8
/// become U+FFFD.
void appendJsonString(std::string_view text, std::string& out);

}  // namespace stormo
