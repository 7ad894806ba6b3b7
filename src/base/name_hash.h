#pragma once

#include <functional>
#include <string_view>

namespace stormo {

/// For unordered containers of std::string that are searched by std::string_view: with it, and
/// std::equal_to<>, looking a name up makes no string of it.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

}  // namespace stormo
