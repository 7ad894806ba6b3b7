#include "server/api/fields.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

namespace stormo::server::api {
namespace {

constexpr std::string_view kGroupName = "the name of a group: 1 to 255 bytes, the first not zero";

}  // namespace

Fields::Fields(const Value& object, std::string place) : object_(object), place_(std::move(place)) {
  if (!object_.isObject()) refuse({}, "must be a JSON object");
}

bool Fields::has(std::string_view name) {
  if (std::ranges::find(known_, name) == known_.end()) known_.push_back(name);
  return !problem_ && !object_[name].isNull();
}

const Value& Fields::any(std::string_view name) {
  static const Value kNull;
  return has(name) ? object_[name] : kNull;
}

std::optional<std::string> Fields::text(std::string_view name, std::size_t bytesMax) {
  if (!has(name)) return std::nullopt;
  const Value& value = object_[name];
  if (!value.isString()) {
    refuse(name, "must be a string");
    return std::nullopt;
  }
  if (value.asString().size() > bytesMax) {
    refuse(name, "must have at most " + std::to_string(bytesMax) + " bytes");
    return std::nullopt;
  }
  return std::string(value.asString());
}

std::string Fields::group(std::string_view name) {
  const auto group = named(name, Audience::group, kGroupName);
  if (!group && isOk()) refuse(name, "is missing");
  return group ? std::string(group->id()) : std::string();
}

std::optional<std::int64_t> Fields::number(std::string_view name, std::int64_t min,
                                           std::int64_t max) {
  if (!has(name)) return std::nullopt;
  const Value& value = object_[name];
  if (value.isInt() && value.asInt() >= min && value.asInt() <= max) return value.asInt();
  refuse(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  return std::nullopt;
}

bool Fields::isTrue(std::string_view name) {
  if (!has(name)) return false;
  if (object_[name].asBool()) return true;
  refuse(name, "must be true");
  return false;
}

std::vector<Audience> Fields::groups(std::string_view name, std::size_t max) {
  const Value& list = any(name);
  if (list.isNull()) return {};
  if (!list.isList() || list.size() == 0 || list.size() > max) {
    refuse(name, "must be a list of 1 to " + std::to_string(max) + " names of groups");
    return {};
  }
  std::vector<Audience> groups;
  std::set<std::string_view> seen;
  for (const auto& [index, element] : list) {
    const std::string place = std::string(name) + '[' + std::to_string(groups.size()) + ']';
    if (!element.isString() || isReservedName(element.asString())) {
      refuse(place, "must be " + std::string(kGroupName));
      return {};
    }
    if (!seen.insert(element.asString()).second) {
      refuse(place, "occurs twice");
      return {};
    }
    groups.push_back(Audience::group(element.asString()));
  }
  return groups;
}

std::optional<Audience> Fields::user(std::string_view name) {
  return named(name, Audience::user, "the id of a user: 1 to 253 bytes");
}

std::optional<Audience> Fields::client(std::string_view name) {
  return named(name, Audience::client, "the id of a client, as an answer of this API has it");
}

std::optional<Audience> Fields::named(std::string_view name, Audience (*make)(std::string_view),
                                      std::string_view what) {
  const auto id = text(name, 255);
  if (!id) return std::nullopt;
  try {
    return make(*id);
  } catch (const std::invalid_argument&) {
    refuse(name, "must be " + std::string(what));
    return std::nullopt;
  }
}

std::optional<Audience> Fields::clients() {
  const int given = int{has("user")} + int{has("client")} + int{has("all")};
  if (given != 1) {
    refuse({}, "needs exactly one of 'user', 'client' and 'all'");
    return std::nullopt;
  }
  if (has("user")) return user("user");
  if (has("client")) return client("client");
  return isTrue("all") ? std::optional(Audience::everybody()) : std::nullopt;
}

void Fields::refuse(std::string_view name, std::string message) {
  if (problem_) return;
  std::string place = place_;
  if (!name.empty()) {
    place += name;
    message = '\'' + std::string(name) + "' " + message;
  } else {
    if (place.ends_with('.')) place.pop_back();
    message = (place.empty() ? std::string("the body") : '\'' + place + '\'') + ' ' + message;
  }
  problem_ = invalidField(std::move(place), std::move(message));
}

std::optional<Problem> Fields::finish() {
  for (const auto& [key, element] : object_) {
    if (problem_) break;
    const std::string name = key.text();
    if (std::ranges::find(known_, name) != known_.end()) continue;
    std::string known;
    for (const std::string_view each : known_) {
      known += known.empty() ? "" : ", ";
      known += each;
    }
    refuse(name, "is unknown here: the fields are " + known);
  }
  return problem_;
}

}  // namespace stormo::server::api
