#pragma once

#include <string_view>

namespace stormo::server {

/// web/try-it.html, put into the program when it is built.
extern const std::string_view kTryItPage;

}  // namespace stormo::server
