#include "channel/nats/nats_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <mutex>

namespace stormo::channel {
namespace {

constexpr const char* kFile = "libnats.so.3.4";

}  // namespace

std::unique_ptr<const NatsLibrary> NatsLibrary::loadFrom(const char* file, std::string& problem) {
  constexpr std::string_view kRemedy = "install Debian's package libnats3.4";
  void* const handle = ::dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    problem =
        fmt::format("a cluster needs the library {}, which cannot be loaded: {}", file, kRemedy);
    return nullptr;
  }
  auto library = std::make_unique<NatsLibrary>();
  const char* missing = nullptr;
#define STORMO_LOAD(name)                                                            \
  library->name = reinterpret_cast<decltype(library->name)>(::dlsym(handle, #name)); \
  if (library->name == nullptr) missing = #name;
  STORMO_NATS_FUNCTIONS(STORMO_LOAD)
#undef STORMO_LOAD
  if (missing != nullptr) {
    problem = fmt::format("the library {} has no function {}: {}", file, missing, kRemedy);
    ::dlclose(handle);
    return nullptr;
  }
  return library;
}

std::string NatsLibrary::lastError(natsStatus status) const {
  const char* const last = nats_GetLastError(nullptr);
  std::string_view text = last == nullptr || *last == '\0' ? natsStatus_GetText(status) : last;
  // The place in libnats' source comes first: "(conn.c:733): ".
  if (const std::size_t end = text.find("): "); text.starts_with('(') && end != text.npos) {
    text.remove_prefix(end + 3);
  }
  return std::string(text);
}

const NatsLibrary* NatsLibrary::load(std::string& problem) {
  static std::mutex mutex;
  static const NatsLibrary* loaded = nullptr;
  const std::lock_guard lock(mutex);
  if (loaded != nullptr) return loaded;
  auto library = loadFrom(kFile, problem);
  if (!library) return nullptr;
  constexpr std::int64_t kDefaultLockSpins = -1;
  if (library->nats_Open(kDefaultLockSpins) != NATS_OK) {
    problem = fmt::format("the library {} cannot start its threads", kFile);
    return nullptr;
  }
  loaded = library.release();  // its threads run until the process ends
  return loaded;
}

}  // namespace stormo::channel
