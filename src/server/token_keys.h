#pragma once

#include <stormo/access.h>

#include <vector>

#include "access/key_set.h"

namespace stormo::server {

/// Throws std::invalid_argument, with a sentence for the user, if a key cannot be used.
[[nodiscard]] access::KeySet keySetOf(const std::vector<TokenKey>& given);

}  // namespace stormo::server
