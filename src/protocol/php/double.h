#pragma once

#include <string>
#include <string_view>

namespace stormo::php {

/// Appends a finite double as PHP writes it with precision -1: the fewest digits that read back as
/// the same number, with an exponent below 1e-4 and from 1e17 on. `exponentLetter` is 'E' in
/// serialize(), 'e' in json_encode(). Examples: 0.1, 1, -0, 1.0E+25.
void appendDouble(double value, char exponentLetter, std::string& out);

/// The double of a decimal number: digits with an optional sign, point and exponent. As in PHP, a
/// number that is too large becomes infinite, and one that is too small becomes zero.
[[nodiscard]] double parseDouble(std::string_view number);

}  // namespace stormo::php
