#pragma once

#include <string>
#include <string_view>

namespace stormo::php {

/// Appends a finite double as PHP writes it with precision -1: the fewest digits that read back as
/// the same number, with an exponent below 1e-4 and from 1e17 on. `exponentLetter` is 'E' in
/// serialize(), 'e' in json_encode(). 0.1, 1, -0, 1.0E+25.
void appendDouble(double value, char exponentLetter, std::string& out);

/// The double that a decimal number spells, digits with an optional sign, point and exponent.
/// As in PHP, too large is infinite, and too small is zero.
[[nodiscard]] double parseDouble(std::string_view number);

}  // namespace stormo::php
