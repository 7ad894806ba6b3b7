#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stormo::process {

/// The known word that differs least from `word`, if it could be a slip of the finger: by at most
/// two letters added, left out or changed, and by less than half of the word.
std::optional<std::string> nearestWord(const std::string& word,
                                       const std::vector<std::string>& known);

}  // namespace stormo::process
