#pragma once

#include <nlohmann/json_fwd.hpp>

namespace stormo::process {

/// Objects keep the order of their members, because people read them too.
using Json = nlohmann::ordered_json;

}  // namespace stormo::process
