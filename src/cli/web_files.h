#pragma once

#include <string_view>

namespace stormo::cli {

// What is in web/, put into the program when it is built.
extern const std::string_view kTryItPage;
extern const std::string_view kStormoJs;

}  // namespace stormo::cli
