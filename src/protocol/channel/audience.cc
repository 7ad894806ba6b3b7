#include <stormo/audience.h>

#include <stdexcept>
#include <utility>

#include "protocol/channel/client_name.h"

namespace stormo {
namespace {

constexpr char kUserLetter = 'u';
constexpr char kClientLetter = 'c';
constexpr char kEverybodyLetter = 'a';
constexpr std::size_t kPrefixBytes = 2;  // zero byte and letter

std::string reserved(char letter, std::string_view id) {
  std::string name{'\0', letter};
  name.append(id);
  return name;
}

}  // namespace

Audience Audience::group(std::string_view name) {
  if (isReservedName(name)) {
    throw std::invalid_argument("a group's name has 1 to 255 bytes, and no zero byte at its start");
  }
  return Audience(std::string(name));
}

Audience Audience::user(std::string_view id) {
  if (id.empty() || id.size() > kUserBytesMax) {
    throw std::invalid_argument("a user's id has 1 to 253 bytes");
  }
  return Audience(reserved(kUserLetter, id));
}

Audience Audience::client(std::string_view id) {
  if (id.size() != channel::kClientIdBytes) throw std::invalid_argument("no id of a client");
  return Audience(reserved(kClientLetter, id));
}

Audience Audience::everybody() { return Audience(reserved(kEverybodyLetter, {})); }

std::optional<Audience> Audience::ofName(std::string_view name) {
  if (!isReservedName(name)) return Audience(std::string(name));
  if (name.size() < kPrefixBytes || name.size() > 255) return std::nullopt;
  const std::string_view id = name.substr(kPrefixBytes);
  switch (name[1]) {
    case kUserLetter:
      return id.empty() ? std::nullopt : std::optional(Audience(std::string(name)));
    case kClientLetter:
      return id.size() == channel::kClientIdBytes ? std::optional(Audience(std::string(name)))
                                                  : std::nullopt;
    case kEverybodyLetter:
      return id.empty() ? std::optional(Audience(std::string(name))) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Audience::Kind Audience::kind() const {
  if (name_.front() != '\0') return Kind::Group;
  if (name_[1] == kUserLetter) return Kind::User;
  return name_[1] == kClientLetter ? Kind::Client : Kind::Everybody;
}

std::string_view Audience::id() const {
  const std::string_view name = name_;
  return kind() == Kind::Group ? name : name.substr(kPrefixBytes);
}

}  // namespace stormo
