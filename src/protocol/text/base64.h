#pragma once

#include <string>
#include <string_view>

namespace stormo {

/// Appends the bytes in base64 with padding (RFC 4648 4). At most 1 GiB of them.
void appendBase64(std::string_view bytes, std::string& out);

}  // namespace stormo
