#pragma once

#include <stormo/http_request.h>

#include <cstddef>
#include <string_view>
#include <vector>

/// Look-ups in the header fields of a request or a response. Names disregard case.
namespace stormo {

/// The first value with that name, or an empty view. Valid until `headers` changes.
[[nodiscard]] std::string_view headerValue(const std::vector<HttpHeader>& headers,
                                           std::string_view name);

/// The number of fields with that name.
[[nodiscard]] std::size_t headerCount(const std::vector<HttpHeader>& headers,
                                      std::string_view name);

/// True if a field with that name, a comma-separated list, contains the token, which disregards
/// case.
[[nodiscard]] bool headerHasToken(const std::vector<HttpHeader>& headers, std::string_view name,
                                  std::string_view token);

}  // namespace stormo
