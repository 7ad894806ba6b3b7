#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stormo {

/// The known word that differs least from `word`, if `word` could be a misspelling of it: at most
/// two letters are added, missing or different, and less than half of the word.
std::optional<std::string> nearestWord(const std::string& word,
                                       const std::vector<std::string>& known);

}  // namespace stormo
