// Any configuration file is read or reported, with its name and a line that it has.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "config/settings.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stormo::config;
  static const int file = ::memfd_create("settings", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  STORMO_ASSERT(::ftruncate(file, 0) == 0);
  STORMO_ASSERT(::pwrite(file, data, size, 0) == static_cast<ssize_t>(size));
  Settings settings;
  const auto complaints = applyFile(path, settings);
  const auto lines = static_cast<std::size_t>(std::count(data, data + size, '\n')) + 1;
  for (const std::string& complaint : complaints) {
    STORMO_ASSERT(complaint.starts_with(path + ':'));
    const std::string_view rest = std::string_view(complaint).substr(path.size() + 1);
    const std::size_t line = std::strtoull(rest.data(), nullptr, 10);  // 0: no line is stated
    STORMO_ASSERT(line <= lines);
  }
  const std::string wrong = contradiction(settings);
  if (!wrong.empty()) STORMO_ASSERT(placeInFile(path, wrong).starts_with(path));
  return 0;
}
