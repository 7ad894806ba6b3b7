#pragma once

#include <string>
#include <string_view>

namespace stormo::cli {

/// The name of the key that each instance makes for its own machine.
inline constexpr std::string_view kMachineKeyName = "machine";

/// The key in the file api.key of that directory, which is made with the mode 0600 if it is not
/// there. Throws std::runtime_error, with a sentence for the user.
[[nodiscard]] std::string machineApiKey(const std::string& instanceDirectory);

}  // namespace stormo::cli
