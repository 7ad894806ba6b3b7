#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace stormo {

/// Appends one event of a stream (HTML, 9.2.5): `data` with a field for each of its lines, which
/// CR, LF or both end. Throws std::invalid_argument if `event` or `id` has more than one line, `id`
/// holds NUL, which pages ignore, or `retry` is negative.
void appendServerSentEvent(std::string_view data, std::string_view event, std::string_view id,
                           std::optional<std::chrono::milliseconds> retry, std::string& out);

/// Appends a comment, whose lines each begin with a colon.
void appendEventComment(std::string_view text, std::string& out);

}  // namespace stormo
